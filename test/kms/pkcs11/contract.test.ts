import { describe, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { onSoftHsm } from './onSoftHsm.js'
import { testedPkcs11 } from './testedPkcs11.js'

await onSoftHsm('SoftHSM', ({ softHsm, user }) => testKms(testedPkcs11(softHsm, user), { describe, it }))
