import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedAws, testedAwsRegions } from './tested.js'

for (const tested of [testedAws, testedAwsRegions]) testKms(tested, { describe, it })
