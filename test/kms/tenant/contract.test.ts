import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { testedAws } from '../aws/tested.js'
import { tenantOver } from '../composed.js'
import { overHttp, testedVault } from '../vault/tested.js'

for (const tested of [testedAws, testedVault('vaultKms', 'vault', overHttp)])
  testKms(tenantOver(tested), { describe, it })
