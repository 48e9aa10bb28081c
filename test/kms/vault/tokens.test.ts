import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import type { AppRole, VaultEmulator } from 'fieldseal/testing'
import { appRoleLogin, kubernetesLogin, type VaultLoginFunction } from 'fieldseal/vault'
import { FieldsealError } from '../../../src/errors.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal } from '../../support/refusal.js'
import { connect, identity, start, startEmulator } from './start.js'

const ROLE: AppRole = { roleId: 'role', secretId: 'secret-id-of-the-role', policies: ['fieldseal'], ttl: 3 }
const LOGIN = appRoleLogin({ roleId: ROLE.roleId, secretId: ROLE.secretId })

function logins(emulator: VaultEmulator): number {
  return emulator.calls.count('login')
}

describe('a token', () => {
  it('is renewed before it ends, also while nothing is asked, until the kms is closed', async () => {
    const emulator = await startEmulator()
    const { id } = emulator.tokens.create({ policies: ['fieldseal'], ttl: 2 })
    const kms = connect(emulator, { token: id })
    await kms.generate(identity())
    await setTimeout(3_500)
    await kms.generate(identity())
    expect(emulator.calls.count('lookup-self')).toBe(1)
    expect(emulator.calls.count('renew-self')).toBeGreaterThanOrEqual(2)
    kms.close()
    await setTimeout(2_500)
    expect(emulator.tokens.valid(id)).toBeUndefined()
  }, 15_000)

  it('that Vault does not renew beyond its max ttl ends in an error that says what to do', async () => {
    const emulator = await startEmulator()
    const { id } = emulator.tokens.create({ policies: ['fieldseal'], ttl: 2, maxTtl: 2 })
    const kms = connect(emulator, { token: id })
    await kms.generate(identity())
    await setTimeout(2_200)
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({
      code: 'KMS_DENIED',
      message: expect.stringContaining('The token has expired'),
    })
  }, 10_000)

  it.each([
    ['has no ttl', { policies: ['fieldseal'] }],
    ['is not renewable', { policies: ['fieldseal'], ttl: 60, renewable: false }],
  ])('that %s serves as it is', async (_what, settings) => {
    const emulator = await startEmulator()
    const kms = connect(emulator, { token: emulator.tokens.create(settings).id })
    await kms.generate(identity())
    await emulator.calls.until((calls) => calls.count('lookup-self') === 1)
    await kms.generate(identity())
    expect(emulator.calls.count('renew-self')).toBe(0)
  })

  it('that may not look itself up is renewed all the same', async () => {
    const emulator = await startEmulator()
    emulator.policies.set('renew', { 'auth/token/renew-self': ['update'] })
    const { id } = emulator.tokens.create({ policies: ['fieldseal', 'renew'], ttl: 2, noDefaultPolicy: true })
    const kms = connect(emulator, { token: id })
    await kms.generate(identity())
    await setTimeout(3_500)
    await kms.generate(identity())
    expect(emulator.calls.count('lookup-self')).toBe(1)
    expect(emulator.calls.count('renew-self')).toBeGreaterThanOrEqual(3)
  }, 15_000)

  it.each([
    ['look itself up nor renew itself', []],
    ['renew itself', ['look']],
  ])('that may not %s is warned of, once', async (_what, more) => {
    const emulator = await startEmulator()
    emulator.policies.set('look', { 'auth/token/lookup-self': ['read'] })
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined)
    onTestFinished(() => warn.mockRestore())
    const policies = ['fieldseal', ...more]
    const kms = connect(emulator, { token: emulator.tokens.create({ policies, ttl: 2, noDefaultPolicy: true }).id })
    await kms.generate(identity())
    await emulator.calls.until((calls) => calls.count('renew-self') >= 1 + more.length)
    await kms.generate(identity())
    await setTimeout(50)
    const given = warn.mock.calls.filter(([message]) => String(message).startsWith('vaultKms: '))
    expect(given).toEqual([
      [expect.stringContaining('"auth/token/renew-self"'), expect.objectContaining({ type: 'FieldsealWarning' })],
    ])
  })

  it.each([
    ['cannot be renewed', { policies: ['fieldseal', 'renew'], ttl: 60, renewable: false, noDefaultPolicy: true }],
    ['is dead', { policies: [] }],
  ])('that %s is not warned of', async (_what, settings) => {
    const emulator = await startEmulator()
    emulator.policies.set('renew', { 'auth/token/renew-self': ['update'] })
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined)
    onTestFinished(() => warn.mockRestore())
    const { id, policies } = emulator.tokens.create(settings)
    if (!policies.includes('fieldseal')) emulator.tokens.revoke(id)
    const kms = connect(emulator, { token: id, maxRetries: 0 })
    await kms.generate(identity()).catch(() => undefined)
    await emulator.calls.until((calls) => calls.count('renew-self') === 1)
    await setTimeout(50)
    expect(warn.mock.calls.filter(([message]) => String(message).startsWith('vaultKms: '))).toEqual([])
  })

  it('of a function is asked for each request, and once more when Vault refuses it', async () => {
    const emulator = await startEmulator()
    const token = jest.fn(() => emulator.token)
    const kms = connect(emulator, { token })
    await kms.generate(identity())
    expect(token).toHaveBeenCalledTimes(2)
    token.mockReturnValueOnce('hvs.outdated')
    await kms.generate(identity())
    expect(token).toHaveBeenCalledTimes(4)
  })

  it('of a function that gives another by now is replaced, also where Vault does not say that it is the token', async () => {
    const emulator = await startEmulator({ tellsInvalidTokens: false })
    const token = jest.fn(() => emulator.token)
    const kms = connect(emulator, { token })
    token.mockReturnValueOnce('hvs.outdated')
    await kms.generate(identity())
    emulator.policies.set('fieldseal', {})
    emulator.calls.reset()
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({ code: 'KMS_DENIED' })
    expect(emulator.calls.count()).toBe(1)
  })

  it('that a function does not give is KMS_DENIED, without what the function threw', async () => {
    const emulator = await startEmulator()
    const broken = () => {
      throw new Error('hvs.secret is no good')
    }
    for (const token of [() => '', () => undefined as never, broken]) {
      const error = await refusal(() => connect(emulator, { token }).generate(identity()))
      expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining('"token"') })
      expect(error.message).not.toContain('hvs.secret')
    }
  })

  it('is none of ours where an agent adds it', async () => {
    const emulator = await startEmulator()
    const agent: typeof fetch = (url, init) => {
      expect(new Headers(init?.headers).get('x-vault-token')).toBeNull()
      expect(new Headers(init?.headers).get('x-vault-request')).toBe('true')
      return fetch(url, { ...init, headers: { ...(init?.headers as object), 'x-vault-token': emulator.token } })
    }
    await connect(emulator, { agent: true, fetch: agent as never }).generate(identity())
  })
})

describe('a login', () => {
  it('happens once for all who wait for it', async () => {
    const { emulator, kms } = await start({ login: LOGIN }, { appRoles: [ROLE] })
    await Promise.all(Array.from({ length: 20 }, () => kms.generate(identity())))
    expect(logins(emulator)).toBe(1)
  })

  it('is followed by renewals of its token while that is used', async () => {
    const { emulator, kms } = await start({ login: LOGIN }, { appRoles: [ROLE] })
    for (let i = 0; i < 10; i += 1) {
      await kms.generate(identity())
      await setTimeout(500)
    }
    expect(logins(emulator)).toBe(1)
    expect(emulator.calls.count('renew-self')).toBeGreaterThanOrEqual(1)
  }, 15_000)

  it('happens again before the max ttl of the token ends, while the old one still serves', async () => {
    const { emulator, kms } = await start({ login: LOGIN }, { appRoles: [{ ...ROLE, maxTtl: 3 }] })
    for (let i = 0; i < 9; i += 1) {
      await kms.generate(identity())
      await setTimeout(500)
    }
    expect(logins(emulator)).toBeGreaterThanOrEqual(2)
    expect(emulator.calls.log.every(({ result }) => result === 'ok')).toBe(true)
  }, 15_000)

  it.each([true, false])('happens again when Vault no longer knows the token (and says so: %s)', async (says) => {
    const { emulator, kms } = await start({ login: LOGIN }, { appRoles: [ROLE], tellsInvalidTokens: says })
    await kms.generate(identity())
    for (const { id, policies } of emulator.tokens.list) if (!policies.includes('root')) emulator.tokens.revoke(id)
    await Promise.all(Array.from({ length: 10 }, () => kms.generate(identity())))
    expect(logins(emulator)).toBe(2)
  })

  it('does not happen again because a policy refuses', async () => {
    const appRoles = [{ ...ROLE, policies: [] }]
    const { emulator, kms } = await start({ login: LOGIN, maxRetries: 3 }, { appRoles, tellsInvalidTokens: false })
    for (let i = 0; i < 3; i += 1)
      expect(await refusal(() => kms.generate(identity()))).toMatchObject({
        code: 'KMS_DENIED',
        message: expect.stringContaining('path "transit/keys/fieldseal" { capabilities = ["read"] }'),
      })
    expect(logins(emulator)).toBe(1)
    expect(emulator.calls.count('lookup-self')).toBe(1)
  })

  it('that is refused is KMS_DENIED, and shows no secret', async () => {
    const login = appRoleLogin({ roleId: 'role', secretId: 'a-wrong-secret-id' })
    const { kms } = await start({ login }, { appRoles: [ROLE] })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_DENIED', cause: { httpCode: 400 } })
    expect(`${error.message} ${JSON.stringify(error.cause)}`).not.toContain('a-wrong-secret-id')
  })

  it('that fails is tried again by the next call', async () => {
    const { emulator, kms } = await start({ login: LOGIN, maxRetries: 0 }, { appRoles: [ROLE] })
    emulator.node.sealed = true
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({ code: 'KMS_UNAVAILABLE' })
    emulator.node.sealed = false
    await kms.generate(identity())
  })

  it('of a function that throws, hangs or gives no token is KMS_DENIED; errors of this library pass', async () => {
    const emulator = await startEmulator()
    const own = new FieldsealError('KMS_UNAVAILABLE', 'the identity provider is down')
    const wrongs: VaultLoginFunction[] = [
      () => Promise.reject(new Error('hvs.secret')),
      () => new Promise(() => undefined),
      async () => ({ token: '', ttl: 1 }),
      async () => undefined as never,
    ]
    for (const login of wrongs) {
      const error = await refusal(() =>
        connect(emulator, { login, timeout: 600, attemptTimeout: 200 }).generate(identity()),
      )
      expect(error.message).not.toContain('hvs.secret')
      expect(['KMS_DENIED', 'KMS_UNAVAILABLE']).toContain(error.code)
    }
    const passing = connect(emulator, { login: () => Promise.reject(own) })
    expect(await refusal(() => passing.generate(identity()))).toMatchObject({ code: own.code, message: own.message })
  })

  it('with a service account reads its token each time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fieldseal-vault-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const tokenFile = join(folder, 'token')
    writeFileSync(tokenFile, 'jwt-of-the-pod\n')
    const asked: [string, object][] = []
    const vault = {
      login: async (path: string, body: object) => {
        asked.push([path, body])
        return { token: 'hvs.x', ttl: 1 }
      },
    }
    await kubernetesLogin({ role: 'app', tokenFile })(vault)
    await kubernetesLogin({ role: 'app', tokenFile, mount: 'k8s' })(vault)
    expect(asked).toEqual([
      ['auth/kubernetes/login', { role: 'app', jwt: 'jwt-of-the-pod' }],
      ['auth/k8s/login', { role: 'app', jwt: 'jwt-of-the-pod' }],
    ])
    await expect(kubernetesLogin({ role: 'app', tokenFile: `${tokenFile}.gone` })(vault)).rejects.toThrow(tokenFile)
  })

  it('with AppRole asks for a secret id that changes', async () => {
    const { emulator, kms } = await start(
      { login: appRoleLogin({ roleId: ROLE.roleId, secretId: async () => ROLE.secretId }) },
      { appRoles: [ROLE] },
    )
    await kms.generate(identity())
    expect(logins(emulator)).toBe(1)
  })
})
