import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { overHttp, overNodeVault, testedVault } from './tested.js'

for (const tested of [
  testedVault('vaultKms, HashiCorp Vault', 'vault', overHttp),
  testedVault('vaultKms, OpenBao', 'openbao', overHttp),
  testedVault('vaultKms over node-vault', 'vault', overNodeVault),
])
  testKms(tested, { describe, it })
