import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { testKms } from 'fieldseal/testing'
import { findSoftHsm, SoftHsm } from './softhsm.js'
import { testedPkcs11 } from './testedPkcs11.js'
import { PIN, TOKEN, TokenUser } from './token.js'

const found = findSoftHsm()

if ('missing' in found) {
  describe('pkcs11Kms is not tested here', () => {
    it('as what it is tested with is missing, which is said, with how to get it', () => {
      console.warn(found.missing)
      expect(found.missing).toMatch(/npm install|apt-get install|PATH/)
    })
  })
} else {
  const softHsm = await SoftHsm.start()
  beforeAll(() => softHsm.createToken(TOKEN, PIN))
  afterAll(() => softHsm.stop())
  testKms(testedPkcs11(softHsm, new TokenUser(softHsm)), { describe, it })
}
