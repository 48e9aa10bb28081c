import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedAws } from '../aws/tested.js'
import { redundantOver } from '../composed.js'
import { testedTencent } from '../tested.js'

testKms(redundantOver(testedTencent, testedAws), { describe, it })
