import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { hierarchicalOver, redundantOver, tenantOver } from './composed.js'
import { testedLocal, testedTencent } from './tested.js'

const composed = [
  redundantOver(testedTencent, testedTencent),
  redundantOver(testedTencent, testedLocal),
  hierarchicalOver(testedTencent),
  tenantOver(testedTencent),
]

for (const tested of [testedTencent, testedLocal, ...composed]) testKms(tested, { describe, it })
