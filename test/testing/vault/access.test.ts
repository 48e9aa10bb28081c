import { describe, expect, it } from '@jest/globals'
import { type Policy, startVaultEmulator } from 'fieldseal/testing'
import { allows } from '../../../src/testing/vault/policies.js'
import { refusal } from '../../support/refusal.js'
import { ask, base64, startVault } from './ask.js'

const DENIED = ['1 error occurred:\n\t* permission denied\n\n']
const INVALID = ['2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n']
const ITEM = { plaintext: base64('value'), context: base64('c') }

describe('the Vault emulator, tokens', () => {
  it('lets nobody in without one that counts', async () => {
    const emulator = await startVault()
    expect(await ask(emulator, 'GET', 'transit/keys/fieldseal', undefined, { token: '' })).toMatchObject({
      status: 403,
    })
    expect(await ask(emulator, 'GET', 'transit/keys/fieldseal', undefined, { token: 'hvs.x' })).toMatchObject({
      status: 403,
      json: { errors: INVALID },
    })
    const older = await startVault({ tellsInvalidTokens: false })
    expect((await ask(older, 'GET', 'transit/keys/fieldseal', undefined, { token: 'x' })).json.errors).toEqual(DENIED)
  })

  it('takes one as a bearer, too', async () => {
    const { url, token } = await startVault()
    const response = await fetch(`${url}/v1/auth/token/lookup-self`, { headers: { authorization: `Bearer ${token}` } })
    expect(response.status).toBe(200)
  })

  it('ends them in time, and renews them up to their max ttl', async () => {
    let now = 1_800_000_000_000
    const emulator = await startVault({ now: () => now })
    const { id: token } = emulator.tokens.create({ policies: [], ttl: 60, maxTtl: 100 })
    const self = async () => (await ask(emulator, 'GET', 'auth/token/lookup-self', undefined, { token })).json
    expect((await self()).data).toMatchObject({ ttl: 60, creation_ttl: 60, renewable: true, policies: ['default'] })
    now += 50_000
    const renewed = await ask(emulator, 'POST', 'auth/token/renew-self', {}, { token })
    expect(renewed.json.auth).toMatchObject({ client_token: token, lease_duration: 50, renewable: true })
    now += 50_000
    expect((await self()).errors).toEqual(INVALID)
    expect((await ask(emulator, 'POST', 'auth/token/renew-self', {})).json.errors).toEqual(['lease is not renewable'])
  })

  it('revokes itself', async () => {
    const emulator = await startVault()
    expect((await ask(emulator, 'POST', 'auth/token/revoke-self', {}, emulator)).status).toBe(204)
    expect((await ask(emulator, 'GET', 'auth/token/lookup-self', undefined, emulator)).status).toBe(403)
  })

  it('come from AppRole for the right secret id', async () => {
    const role = { roleId: 'r', secretId: 's', policies: ['fieldseal'], ttl: 60 }
    const emulator = await startVault({ appRoles: [role] })
    const login = (secret_id: string) =>
      ask(emulator, 'POST', 'auth/approle/login', { role_id: 'r', secret_id }, { token: '' })
    expect((await login('x')).json).toEqual({ errors: ['invalid role or secret ID'] })
    const { auth } = (await login('s')).json
    expect(auth).toMatchObject({ lease_duration: 60, renewable: true, policies: ['default', 'fieldseal'] })
    const answer = await ask(emulator, 'POST', 'transit/encrypt/fieldseal', ITEM, { token: auth.client_token })
    expect(answer.status).toBe(200)
  })
})

describe('the Vault emulator, policies', () => {
  it('allow an app what it needs, and nothing else', async () => {
    const emulator = await startVault({
      keys: { 'transit/fieldseal': { derived: true }, 'transit/other': { derived: true } },
    })
    const statusOf = async (method: string, path: string) => (await ask(emulator, method, path, ITEM, emulator)).status
    expect(await statusOf('POST', 'transit/encrypt/fieldseal')).toBe(200)
    expect(await statusOf('POST', 'transit/datakey/plaintext/fieldseal')).toBe(200)
    for (const path of ['transit/encrypt/other', 'transit/encrypt/none', 'transit/keys/fieldseal/rotate', 'sys/seal'])
      expect(await statusOf('POST', path)).toBe(403)
    expect(await statusOf('DELETE', 'transit/keys/fieldseal')).toBe(403)
  })

  it('have "encrypt" make a missing key only with "create"', async () => {
    const policies: Record<string, Policy> = {
      update: { 'transit/*': ['update'] },
      create: { 'transit/*': ['create', 'update'] },
    }
    const tokens = [
      { id: 'u', policies: ['update'] },
      { id: 'c', policies: ['create'] },
    ]
    const emulator = await startVault({ policies, tokens })
    expect((await ask(emulator, 'POST', 'transit/encrypt/new', ITEM, { token: 'u' })).status).toBe(403)
    expect((await ask(emulator, 'POST', 'transit/encrypt/new', ITEM, { token: 'c' })).status).toBe(200)
    expect(emulator.keys.get('transit/new')).toMatchObject({ derived: true })
  })

  it.each<[string, readonly Policy[], boolean]>([
    ['an exact path', [{ 'a/b/c': ['read'] }], true],
    ['a path that goes on', [{ 'a/*': ['read'] }], true],
    ['any part', [{ 'a/+/c': ['read'] }], true],
    ['any part, and more', [{ '+/b/*': ['read'] }], true],
    ['another capability', [{ 'a/b/c': ['update'] }], false],
    ['a shorter path', [{ 'a/b': ['read'] }], false],
    ['a longer path', [{ 'a/b/c/d': ['read'] }], false],
    ['the more specific one', [{ 'a/*': ['read'], 'a/b/*': ['update'] }], false],
    ['what several say of one path', [{ 'a/b/c': ['update'] }, { 'a/b/c': ['read'] }], true],
    ['deny above all', [{ 'a/b/c': ['read'] }, { 'a/b/c': ['deny'] }], false],
    ['none', [], false],
  ])('go by %s', (_what, policies, allowed) => {
    expect(allows(policies, 'a/b/c', 'read')).toBe(allowed)
  })
})

describe('the Vault emulator, namespaces', () => {
  const world = {
    namespaces: ['team-a', 'team-b'],
    mounts: ['transit', 'team-a/transit'],
    keys: { 'transit/fieldseal': {}, 'team-a/transit/k': { derived: true } },
  }

  it('are the same in the header and in the path', async () => {
    const emulator = await startVault(world)
    for (const [path, namespace] of [
      ['transit/keys/k', 'team-a'],
      ['transit/keys/k', 'team-a/'],
      ['team-a/transit/keys/k', ''],
    ])
      expect((await ask(emulator, 'GET', path!, undefined, { namespace: namespace! })).json.data?.name).toBe('k')
    expect((await ask(emulator, 'GET', 'transit/keys/k')).status).toBe(404)
    expect((await ask(emulator, 'GET', 'transit/keys/k', undefined, { namespace: 'none' })).status).toBe(404)
    const bao = await startVault({ ...world, product: 'openbao' })
    expect((await ask(bao, 'GET', 'transit/keys/k', undefined, { namespace: 'none' })).json.errors).toEqual([
      'namespace not found',
    ])
  })

  it('have a token count in its own and below', async () => {
    const policies: Record<string, Policy> = { all: { 'transit/*': ['read'] } }
    const tokens = [
      { id: 'a', policies: ['all'], namespace: 'team-a' },
      { id: 'b', policies: ['all'], namespace: 'team-b' },
    ]
    const emulator = await startVault({ ...world, policies, tokens })
    const read = async (token: string) =>
      (await ask(emulator, 'GET', 'transit/keys/k', undefined, { token, namespace: 'team-a' })).status
    expect([await read('a'), await read('b')]).toEqual([200, 403])
  })
})

describe('the Vault emulator, the node', () => {
  it('says how it is', async () => {
    const emulator = await startVault()
    const health = () => ask(emulator, 'GET', 'sys/health', undefined, { token: '' })
    expect(await health()).toMatchObject({ status: 200, json: { data: { sealed: false, standby: false } } })
    expect((await ask(emulator, 'POST', 'sys/seal', {})).status).toBe(204)
    expect((await health()).status).toBe(503)
    expect(await ask(emulator, 'GET', 'transit/keys/fieldseal')).toMatchObject({
      status: 503,
      json: { errors: ['Vault is sealed'] },
    })
    expect((await ask(emulator, 'POST', 'sys/unseal', { key: 'x' }, { token: '' })).status).toBe(200)
    expect((await ask(emulator, 'GET', 'transit/keys/fieldseal')).status).toBe(200)
    emulator.node.activeNode = 'https://active.example.com:8200'
    expect((await health()).status).toBe(429)
    const { status, headers } = await ask(emulator, 'GET', 'transit/keys/fieldseal')
    expect([status, headers.get('location')]).toEqual([
      307,
      'https://active.example.com:8200/v1/transit/keys/fieldseal',
    ])
  })

  it.each([true, false])('refuses above a quota, with Retry-After if so configured (%s)', async (rateLimitHeaders) => {
    const emulator = await startVault({ limits: { encrypt: 2 }, rateLimitHeaders, now: () => 1_800_000_000_000 })
    const encrypt = () => ask(emulator, 'POST', 'transit/encrypt/fieldseal', ITEM)
    expect([(await encrypt()).status, (await encrypt()).status]).toEqual([200, 200])
    const { status, headers, json } = await encrypt()
    expect(status).toBe(429)
    expect(json.errors).toEqual(['request path "transit/encrypt/fieldseal": rate limit quota exceeded'])
    expect(headers.get('retry-after')).toBe(rateLimitHeaders ? '1' : null)
  })

  it('answers what it does not have with 404 and 405, and what is no JSON with 400', async () => {
    const emulator = await startVault()
    expect((await ask(emulator, 'GET', 'kv/data/x')).json.errors[0]).toContain('no handler for route')
    expect((await ask(emulator, 'GET', 'transit/sign/fieldseal')).status).toBe(404)
    expect((await ask(emulator, 'GET', 'transit/encrypt/fieldseal')).status).toBe(405)
    expect((await ask(emulator, 'POST', 'transit/encrypt/fieldseal', '{"plaintext":')).status).toBe(400)
  })

  it('is administered by another process only where that is allowed', async () => {
    const [open, closed] = [await startVault({ admin: true }), await startVault()]
    const keys = await (await fetch(`${open.url}/_emulator/keys`)).json()
    expect(keys).toEqual([{ path: 'transit/fieldseal', type: 'aes256-gcm96' }])
    expect((await fetch(`${closed.url}/_emulator/keys`)).status).toBe(403)
  })

  it('remembers what was asked, without secrets', async () => {
    const emulator = await startVault()
    await ask(emulator, 'POST', 'transit/encrypt/fieldseal', { batch_input: [ITEM] })
    expect(emulator.calls.log).toEqual([
      {
        action: 'encrypt',
        requestId: expect.any(String),
        keyId: 'transit/fieldseal',
        encryptionContext: 'c',
        result: 'ok',
      },
    ])
  })

  it.each<[string, object]>([
    ['keys', { keys: { 'elsewhere/k': {} } }],
    ['keys', { keys: { 'transit/k': { convergent_encryption: true } } }],
    ['keys', { keys: {} }],
    ['limits.encrypt', { limits: { encrypt: -1 } }],
  ])('refuses bad "%s" when it starts', async (option, options) => {
    expect(await refusal(() => startVaultEmulator(options))).toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining(`"${option}"`),
    })
  })
})
