import { it } from '@jest/globals'
import { expectRefusals, expectShortErrors } from '../plantedRows.js'
import { onSoftHsm } from './onSoftHsm.js'
import { testedPkcs11 } from './testedPkcs11.js'

await onSoftHsm('a row that was changed', ({ softHsm, user }) => {
  it('to megabytes makes no long error, also while the keyId function hangs', async () => {
    await expectShortErrors(testedPkcs11(softHsm, user))
  })

  it('to hold no text, or no id of a KEK, is refused at once', async () => {
    await expectRefusals(testedPkcs11(softHsm, user))
  })
})
