import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedAws } from '../aws/tested.js'
import { hierarchicalOver } from '../composed.js'
import { testedGoogle } from '../google/tested.js'

for (const tested of [testedAws, testedGoogle]) testKms(hierarchicalOver(tested), { describe, it })
