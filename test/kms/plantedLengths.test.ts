import { describe, it } from '@jest/globals'
import { testedAws } from './aws/tested.js'
import { testedAzure } from './azure/tested.js'
import { hierarchicalOver, redundantOver, tenantOver } from './composed.js'
import { testedGoogle } from './google/tested.js'
import { expectShortErrors } from './plantedLengths.js'
import { testedLocal, testedTencent } from './tested.js'
import { overHttp, testedVault } from './vault/tested.js'

describe('an error about a row of megabytes', () => {
  it.each([
    testedTencent,
    testedAws,
    testedGoogle,
    testedAzure,
    testedVault('vaultKms', 'vault', overHttp),
    testedLocal,
    redundantOver(testedTencent, testedAws),
    hierarchicalOver(testedLocal),
    tenantOver(testedTencent),
  ])('is short, also while the keyId function hangs ($name)', async (tested) => {
    await expectShortErrors(tested)
  })
})
