import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedGoogle } from './tested.js'

testKms(testedGoogle, { describe, it })
