import { it } from '@jest/globals'
import { expectShortErrors } from '../plantedLengths.js'
import { onSoftHsm } from './onSoftHsm.js'
import { testedPkcs11 } from './testedPkcs11.js'

await onSoftHsm('an error about a row of megabytes', ({ softHsm, user }) => {
  it('is short, also while the keyId function hangs', () => expectShortErrors(testedPkcs11(softHsm, user)))
})
