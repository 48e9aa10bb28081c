import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { hierarchicalOver, redundantOver } from '../composed.js'
import { testedTencent } from '../tested.js'
import { overHttp, testedVault } from './tested.js'

const vault = testedVault('vaultKms', 'vault', overHttp)

for (const tested of [hierarchicalOver(vault), redundantOver(testedTencent, vault)]) testKms(tested, { describe, it })
