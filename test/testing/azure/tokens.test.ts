import { KeyClient } from '@azure/keyvault-keys'
import { describe, expect, it } from '@jest/globals'
import type { AzureKmsEmulator } from 'fieldseal/testing'
import { startEmulator } from '../../kms/azure/start.js'
import { codeIn, send, statusOf, VERSION } from './send.js'

describe('startAzureKmsEmulator, tokens', () => {
  it('challenges who has none, says for what resource to get one, and nothing else', async () => {
    const emulator = await startEmulator()
    const { status, headers, text } = await send(emulator, 'GET', `/keys/fieldseal?${VERSION}`)
    expect([status, text]).toEqual([401, ''])
    expect(headers['www-authenticate']).toBe(
      `Bearer authorization="https://login.microsoftonline.com/${emulator.tokens.tenantId}", resource="https://managedhsm.azure.net"`,
    )
    expect(emulator.calls.byAction).toEqual({ challenge: 1 })
  })

  it.each<[string, (emulator: AzureKmsEmulator) => string]>([
    ['of a vault', ({ tokens }) => tokens.issue({ principal: 'app', audience: 'https://vault.azure.net' })],
    ['that has expired', ({ tokens }) => tokens.issue({ principal: 'app', lifetime: -1 })],
    ['that was changed', ({ tokens }) => `${tokens.issue({ principal: 'app' }).slice(0, -4)}AAAA`],
    ['of somebody else', ({ tokens }) => claiming(tokens.issue({ principal: 'app' }), { oid: 'admin' })],
    ['that is not signed', ({ tokens }) => `${tokens.issue({ principal: 'app' }).split('.').slice(0, 2).join('.')}.AA`],
    ['that is none', () => 'token'],
  ])('refuses a token %s', async (_, token) => {
    const emulator = await startEmulator({ principals: [{ id: 'app' }, { id: 'admin' }] })
    const answer = await send(emulator, 'GET', `/keys/fieldseal?${VERSION}`, token(emulator))
    expect([answer.status, codeIn(answer)]).toEqual([401, 'Unauthorized'])
    expect(answer.headers['www-authenticate']).toContain('resource=')
  })

  it('refuses a token of another emulator', async () => {
    const [one, other] = await Promise.all([startEmulator(), startEmulator()])
    const answer = await send(one, 'GET', `/keys/fieldseal?${VERSION}`, other.tokens.issue({ principal: 'app' }))
    expect(answer.status).toBe(401)
  })

  it('gives a token for a Managed HSM only', async () => {
    const { credential } = await startEmulator()
    await expect(credential.getToken('https://vault.azure.net/.default')).rejects.toMatchObject({
      name: 'AuthenticationError',
    })
  })

  it('lets a principal do what its role allows, with its keys', async () => {
    const principals = [{ id: 'admin' }, { id: 'app', operations: ['encrypt'], keys: ['fieldseal'] }] as const
    const emulator = await startEmulator({ principals, keys: [{ name: 'fieldseal' }, { name: 'other' }] })
    const token = emulator.tokens.issue({ principal: 'app' })
    const body = { alg: 'A256GCM', value: 'AAAA' }
    const ask = async (path: string) => {
      const answer = await send(emulator, 'POST', `${path}?${VERSION}`, token, body)
      return answer.status === 200 ? 200 : codeIn(answer)
    }
    expect(await ask('/keys/fieldseal//encrypt')).toBe(200)
    expect(await ask('/keys/other//encrypt')).toBe('AccessDenied')
    expect(await ask('/keys/fieldseal//decrypt')).toBe('AccessDenied')
    const nobody = new KeyClient(emulator.url, emulator.credentialOf({ principal: 'nobody' }), emulator.clientOptions())
    expect(await statusOf(nobody.getKey('other'))).toEqual([403, 'AccessDenied'])
  })
})

/** With other claims and the old signature. */
function claiming(token: string, claims: object): string {
  const [head, body = '', signature] = token.split('.')
  const old = JSON.parse(Buffer.from(body, 'base64url').toString()) as object
  return [head, Buffer.from(JSON.stringify({ ...old, ...claims })).toString('base64url'), signature].join('.')
}
