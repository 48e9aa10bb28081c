import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedAzure } from './tested.js'

testKms(testedAzure, { describe, it })
