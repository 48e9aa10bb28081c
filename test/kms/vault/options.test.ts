import { describe, expect, it } from '@jest/globals'
import { type VaultKmsOptions, vaultKms } from 'fieldseal/vault'

const GOOD: VaultKmsOptions = { address: 'https://vault.example.com:8200', token: 'hvs.token', keyId: 'k' }
const CLIENT = { read: async () => ({}), write: async () => ({}) }
const without = (name: keyof VaultKmsOptions): VaultKmsOptions => ({ ...GOOD, [name]: undefined })

describe('vaultKms, options', () => {
  it.each<[string, VaultKmsOptions]>([
    ['address', without('address')],
    ['address', { ...GOOD, address: 'vault.example.com' }],
    ['address', { ...GOOD, address: 'ftp://vault.example.com' }],
    ['address', { ...GOOD, address: 'http://vault.example.com:8200' }],
    ['address', { ...GOOD, address: 'http://127.0.0.1.example.com' }],
    ['address', { ...GOOD, address: 'https://me:secret@vault.example.com' }],
    ['address', { ...GOOD, address: 'https://vault.example.com/?a=1' }],
    ['address', { ...GOOD, client: CLIENT }],
    ['token', without('token')],
    ['token', { ...GOOD, token: '' }],
    ['token', { ...GOOD, token: 'two words' }],
    ['token', { ...GOOD, token: 'hvs.x\r\nhost: elsewhere' }],
    ['token', { ...GOOD, agent: true }],
    ['token', { ...GOOD, login: async () => ({ token: 't', ttl: 1 }) }],
    ['login', { ...without('token'), login: 'approle' as never }],
    ['client', { client: {} as never, keyId: 'k' }],
    ['keyId', { ...GOOD, keyId: undefined as never }],
    ['keyId', { ...GOOD, keyId: '' }],
    ['keyId', { ...GOOD, keyId: '../sys/seal' }],
    ['keyId', { ...GOOD, keyId: 'transit/../k' }],
    ['keyId', { ...GOOD, keyId: 'k?list=true' }],
    ['keyId', { ...GOOD, keyId: 'k%2f' }],
    ['keyId', { ...GOOD, keyId: '/k' }],
    ['formerKeyIds', { ...GOOD, formerKeyIds: 'k' as never }],
    ['formerKeyIds', { ...GOOD, formerKeyIds: ['a b'] }],
    ['mount', { ...GOOD, mount: '/transit/' }],
    ['mount', { ...GOOD, mount: '' }],
    ['namespace', { ...GOOD, namespace: '../root' }],
    ['fetch', { ...GOOD, fetch: 'undici' as never }],
    ['timeout', { ...GOOD, timeout: 0 }],
    ['adress', { ...GOOD, adress: 'x' } as never],
  ])('refuses a bad "%s" when they are given (%#)', (option, options) => {
    expect(() => vaultKms(options)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it.each<VaultKmsOptions>([
    GOOD,
    { ...GOOD, address: 'http://localhost:8200' },
    { ...GOOD, address: 'http://127.0.0.1:8200' },
    { ...GOOD, address: 'http://[::1]:8200/' },
    { ...GOOD, address: 'http://vault:8200', allowHttp: true },
    { ...without('token'), agent: true },
    { ...GOOD, namespace: 'a/b/', mount: 'kms/transit', keyId: 'my.key-1', formerKeyIds: ['old/mount/k'] },
    { client: CLIENT, keyId: 'k' },
  ])('takes what can work (%#)', (options) => {
    const kms = vaultKms(options)
    expect(kms.name).toBe('vault')
    kms.close()
  })

  it('refuses what keyId and formerKeyIds functions give, when they give it', async () => {
    const who = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' } as const
    for (const keyId of ['', '../sys', undefined as never]) {
      const kms = vaultKms({ ...GOOD, keyId: () => keyId })
      await expect(kms.generate(who)).rejects.toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    }
    const kms = vaultKms({ ...GOOD, formerKeyIds: () => ['../sys'] })
    await expect(kms.unwrap({ wrapped: 'x', kekId: 'transit/k' }, who)).rejects.toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
    })
  })
})
