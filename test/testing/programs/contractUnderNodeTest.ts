import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { localKms } from '../../../src/kms/localKms.js'
import { type KmsSetting, NO_COUNTERPART } from '../../../src/testing/contract/kmsUnderTest.js'
import { testKms } from '../../../src/testing/contract/testKms.js'

const keyIds = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')] as const

function kmsOf({ keyId = keyIds[0], formerKeyIds }: KmsSetting = {}) {
  if (typeof keyId === 'string' && formerKeyIds === undefined) return localKms({ key: keyId })
  throw new TypeError('It has one KEK.')
}

const start = () => ({ keyIds, secrets: keyIds, kmsOf, close: () => undefined })

testKms({ name: 'localKms', start, lacks: [...NO_COUNTERPART, 'formerKeyIds', 'keyIdOf'] }, { describe, it })
