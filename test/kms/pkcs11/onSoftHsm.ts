import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Pkcs11Kms, type Pkcs11KmsOptions, pkcs11Kms } from 'fieldseal/pkcs11'
import { onTestFinished } from '../../support/onTestFinished.js'
import { type Around, aroundModule } from './aroundModule.js'
import { findSoftHsm, SoftHsm } from './softhsm.js'
import { PIN, TOKEN, TokenUser } from './token.js'

/** SoftHSM with a token, for one test file. */
export interface OnSoftHsm {
  readonly softHsm: SoftHsm
  readonly user: TokenUser
  /** A `Kms` that is closed when the test is over, with a new KEK unless `keyId` is given. */
  kmsOf(options?: Partial<Pkcs11KmsOptions>, around?: Around): Pkcs11Kms
}

/** Tests with a real token; where SoftHSM or pkcs11js is missing, one that says so, and how to get it. */
export async function onSoftHsm(title: string, tests: (on: OnSoftHsm) => void): Promise<void> {
  const found = findSoftHsm()
  if ('missing' in found) {
    it(`cannot be tested here (${title}): what is missing is said, with how to get it`, () => {
      console.warn(found.missing)
      expect(found.missing).toMatch(/npm install|apt-get install|PATH/)
    })
    return
  }
  const softHsm = await SoftHsm.start()
  beforeAll(() => softHsm.createToken(TOKEN, PIN))
  afterAll(() => softHsm.stop())
  const user = new TokenUser(softHsm)
  const kmsOf: OnSoftHsm['kmsOf'] = ({ keyId = user.createKek(), ...options } = {}, around = (_, call) => call()) => {
    const pkcs11 = aroundModule(softHsm.module, around)
    const kms = pkcs11Kms({ pkcs11, token: TOKEN, pin: PIN, keyId, ...options })
    onTestFinished(() => kms.close())
    return kms
  }
  describe(title, () => tests({ softHsm, user, kmsOf }))
}
