import { describe, it } from '@jest/globals'
import { testedAws } from './aws/tested.js'
import { testedAzure } from './azure/tested.js'
import { hierarchicalOver, redundantOver, tenantOver } from './composed.js'
import { testedGoogle } from './google/tested.js'
import { expectRefusals, expectShortErrors } from './plantedRows.js'
import { testedLocal, testedTencent } from './tested.js'
import { overHttp, testedVault } from './vault/tested.js'

const TESTED = [
  testedTencent,
  testedAws,
  testedGoogle,
  testedAzure,
  testedVault('vaultKms', 'vault', overHttp),
  testedLocal,
  redundantOver(testedTencent, testedAws),
  hierarchicalOver(testedLocal),
  tenantOver(testedTencent),
]

describe('an error about a row of megabytes', () => {
  it.each(TESTED)('is short, also while the keyId function hangs ($name)', async (tested) => {
    await expectShortErrors(tested)
  })
})

describe('a row without text, or without the id of a KEK', () => {
  it.each(TESTED)('is refused at once ($name)', async (tested) => {
    await expectRefusals(tested)
  })
})
