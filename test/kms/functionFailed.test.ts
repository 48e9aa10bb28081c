import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { awsKms } from 'fieldseal/aws-kms'
import { azureKms } from 'fieldseal/azure-kms'
import { googleKms } from 'fieldseal/google-kms'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { tenantKms } from 'fieldseal/tenant-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { vaultKms } from 'fieldseal/vault'
import type { Kms } from '../../src/keys/kms.js'
import { refusal } from '../support/refusal.js'

const WHOSE = { key: '0b0e5bb1-6c3f-4a53-a7f6-7b5d4c1f2a3b', purpose: 'encrypt', tenant: 'acme' } as const
const AZURE_KEY = 'https://contoso.managedhsm.azure.net/keys/fieldseal'
const none = () => Promise.reject(new Error('nothing is asked'))

/** Each function of the options that is asked for a tenant or key, and the code of its failure. */
const FUNCTIONS: readonly [option: string, code: string, make: (fails: () => never) => Kms][] = [
  [
    'keyId function of tencentKms',
    'KMS_KEY_UNUSABLE',
    (keyId) => tencentKms({ client: { GenerateDataKey: none, Decrypt: none }, keyId }),
  ],
  [
    'keyId function of awsKms',
    'KMS_KEY_UNUSABLE',
    (keyId) => awsKms({ client: { generateDataKey: none, decrypt: none }, keyId }),
  ],
  [
    'keyId function of googleKms',
    'KMS_KEY_UNUSABLE',
    (keyId) => googleKms({ client: { encrypt: none, decrypt: none } as never, keyId }),
  ],
  ['keyId function of azureKms', 'KMS_KEY_UNUSABLE', (keyId) => azureKms({ client: none as never, keyId })],
  ['client function of azureKms', 'OPTIONS_INVALID', (client) => azureKms({ client, keyId: AZURE_KEY })],
  [
    'keyId function of vaultKms',
    'KMS_KEY_UNUSABLE',
    (keyId) => vaultKms({ address: 'http://localhost:1', token: 't', keyId }),
  ],
  [
    'memberOf function of tenantKms',
    'KMS_KEY_UNUSABLE',
    (memberOf) => tenantKms({ members: { own: local() }, memberOf }),
  ],
  [
    'option "group" of hierarchicalKms',
    'KMS_KEY_UNUSABLE',
    (group) => hierarchicalKms({ kms: local(), group })(memoryKeyStore()),
  ],
]

function local(): Kms {
  return localKms({ key: Buffer.alloc(32, 7).toString('base64') })
}

describe('a function of the options', () => {
  it.each(FUNCTIONS)(
    'that throws ends in an error that names it, and shows nothing of what it threw: %s',
    async (option, code, make) => {
      const thrown = Object.assign(new Error('postgres://app:secret-4711@db failed'), {
        code: 'ECONNREFUSED',
        token: 'secret-4711',
      })
      const kms = make(() => {
        throw thrown
      })
      const error = await refusal(() => kms.generate(WHOSE))
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(`The ${option} failed .*ECONNREFUSED.*Log what it throws`),
      })
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret-4711')
    },
  )

  it.each(FUNCTIONS)('that throws an error of this library is passed on: %s', async (_option, _code, make) => {
    const own = new FieldsealError('KMS_UNAVAILABLE', 'The directory of customers is down.')
    const kms = make(() => {
      throw own
    })
    expect(await refusal(() => kms.generate(WHOSE))).toMatchObject({ code: own.code, message: own.message })
  })
})
