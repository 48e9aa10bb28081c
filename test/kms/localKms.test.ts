import { createCipheriv, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { DekIdentity } from '../../src/keys/kms.js'
import { type LocalKmsOptions, localKms } from '../../src/kms/localKms.js'
import { restoreVariables, setVariable } from '../support/environment.js'
import { onTestFinished } from '../support/onTestFinished.js'

const kek = randomBytes(32)
const key = kek.toString('base64')
const folder = mkdtempSync(join(tmpdir(), 'local-kms-'))
afterAll(() => rmSync(folder, { recursive: true }))

const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }

const FROZEN = {
  wrapped: 'fslk1.L7VHWJw_eToGnsj4stPZfc_g3GjIONB0_-KHtzSoVDl7HeH84tpZSbdpUyPhQQV38JP1xAd0gvPrrSF-',
  kekId: 'local:3625d9b3bf5893af',
  dek: '235bebd214032cdee8a0e121e41b15ab4f3f7059149b91f22cda1900e93cc761',
}

function setEnv(name: string, value: string) {
  setVariable(name, value)
  onTestFinished(() => {
    restoreVariables()
  })
}

function file(content: string | Buffer): string {
  const path = join(folder, randomUUID())
  writeFileSync(path, content)
  return path
}

describe('localKms, options', () => {
  it.each<[string, () => LocalKmsOptions, RegExp]>([
    ['no source', () => ({}), /exactly one of the options "key", "keyFile" and "env"/],
    ['an undefined source', () => ({ key: undefined }), /exactly one/],
    ['two sources', () => ({ key, env: 'KEK' }), /exactly one/],
    [
      'a misspelt option',
      () => ({ key, allowInProd: true }) as LocalKmsOptions,
      /"allowInProd" of localKms does not exist/,
    ],
    ['a password', () => ({ key: 'correct horse battery staple' }), /"key" of localKms must hold 32 bytes/],
    ['31 bytes', () => ({ key: kek.subarray(1).toString('base64') }), /must hold 32 bytes/],
    ['what is no text', () => ({ key: kek as never }), /must hold 32 bytes/],
    [
      'a missing file',
      () => ({ keyFile: join(folder, 'none') }),
      /none, named by the option "keyFile" .* cannot be read/,
    ],
    ['a file of 33 raw bytes', () => ({ keyFile: file(randomBytes(33)) }), /must hold 32 bytes/],
    ['an empty file', () => ({ keyFile: file('') }), /must hold 32 bytes/],
    ['a variable that is not set', () => ({ env: 'NO_SUCH_KEK' }), /variable NO_SUCH_KEK, .* is not set/],
  ])('refuses %s', (_, options, message) => {
    expect(() => localKms(options())).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringMatching(message) }),
    )
  })

  it('says how to make a KEK, and does not repeat a bad one', () => {
    const bad = `${key.slice(0, 30)}!`
    const show = () => localKms({ key: bad })
    expect(show).toThrow(/openssl rand -base64 32/)
    expect(show).toThrow(expect.objectContaining({ message: expect.not.stringContaining(bad.slice(0, 8)) }))
  })

  it('does not start in production unless told', () => {
    setEnv('NODE_ENV', 'production')
    expect(() => localKms({ key })).toThrow(/NODE_ENV is "production".*tencentKms.*allowInProduction: true/s)
    expect(() => localKms({ key, allowInProduction: false })).toThrow(/production/)
    expect(localKms({ key, allowInProduction: true }).name).toBe('local')
  })

  it('takes one KEK in every form', async () => {
    setEnv('LOCAL_KEK', ` ${kek.toString('hex').toUpperCase()}\n`)
    const { wrapped, kekId, dek } = await localKms({ key }).generate(identity)
    const forms: LocalKmsOptions[] = [
      { key: kek.toString('hex') },
      { env: 'LOCAL_KEK' },
      { keyFile: file(kek) },
      { keyFile: file(`${key}\n`) },
      { keyFile: file(`${kek.toString('hex')}\r\n`) },
    ]
    for (const form of forms) expect(dek.equals(await localKms(form).unwrap({ wrapped, kekId }, identity))).toBe(true)
  })
})

describe('localKms', () => {
  const kms = localKms({ key })

  it('refuses a DEK that another KEK wraps, and names both', async () => {
    const other = localKms({ key: randomBytes(32).toString('base64') })
    const wrapped = await other.generate(identity)
    const { kekId } = await kms.generate(identity)
    await expect(kms.unwrap(wrapped, identity)).rejects.toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(new RegExp(`${wrapped.kekId}.*${kekId}`)),
    })
    await expect(kms.unwrap({ ...wrapped, kekId }, identity)).rejects.toMatchObject({ code: 'KMS_REFUSED' })
  })

  it('refuses a wrapped DEK that was changed in any byte, cut, lengthened or written otherwise', async () => {
    const { wrapped, kekId } = await kms.generate(identity)
    const body = Buffer.from(wrapped.slice('fslk1.'.length), 'base64url')
    const flipped = Array.from(body, (_, at) => {
      const copy = Buffer.from(body)
      copy[at]! ^= 1
      return `fslk1.${copy.toString('base64url')}`
    })
    const others = [
      '',
      'fslk1.',
      wrapped.slice(0, -4),
      `${wrapped}AAAA`,
      wrapped.replace('fslk1', 'fslk2'),
      `${wrapped}=`,
    ]
    for (const changed of [...flipped, ...others]) {
      await expect(kms.unwrap({ wrapped: changed, kekId }, identity)).rejects.toMatchObject({ code: 'KMS_REFUSED' })
    }
  })

  it('refuses to unwrap for another tenant, purpose or DEK id', async () => {
    const wrapped = await kms.generate(identity)
    const others: DekIdentity[] = [
      { ...identity, tenant: 'globex' },
      { ...identity, purpose: 'index' },
      { ...identity, key: randomUUID() },
    ]
    for (const other of others) {
      await expect(kms.unwrap(wrapped, other)).rejects.toMatchObject({
        code: 'KMS_REFUSED',
        message: expect.not.stringContaining(wrapped.wrapped),
      })
    }
  })

  it('refuses a tenant id that is too long', async () => {
    const long = { ...identity, tenant: 't'.repeat(1000) }
    await expect(kms.generate(long)).rejects.toMatchObject({ code: 'TENANT_INVALID' })
  })

  it('wraps each DEK anew and unwraps it into memory of its own', async () => {
    const [a, b] = await Promise.all([kms.generate(identity), kms.generate(identity)])
    expect(a.dek.equals(b.dek)).toBe(false)
    expect(a.wrapped).toMatch(/^fslk1\.[A-Za-z0-9_-]{80}$/)
    const unwrapped = await kms.unwrap(a, identity)
    expect(unwrapped.equals(a.dek)).toBe(true)
    expect([unwrapped.buffer.byteLength, a.dek.buffer.byteLength]).toEqual([32, 32])
  })

  it('reads the form that is written down: AES-256-GCM over LP(label) and LP(encryption context)', async () => {
    const dek = randomBytes(32)
    const nonce = randomBytes(12)
    const lengthPrefixed = (text: string) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(text))
      return Buffer.concat([length, Buffer.from(text)])
    }
    const context = `{"key":"${identity.key}","purpose":"encrypt","tenant":"acme"}`
    const aad = Buffer.concat([lengthPrefixed('fieldseal/1 local-kms'), lengthPrefixed(context)])
    const cipher = createCipheriv('aes-256-gcm', kek, nonce).setAAD(aad)
    const body = Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()])
    const { kekId } = await kms.generate(identity)
    const unwrapped = await kms.unwrap({ wrapped: `fslk1.${body.toString('base64url')}`, kekId }, identity)
    expect(unwrapped.equals(dek)).toBe(true)
  })

  it('still reads what it wrote first, under the same KEK id', async () => {
    const frozen = localKms({ key: Buffer.alloc(32, 0x42).toString('hex') })
    const whose: DekIdentity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'index', tenant: '租户' }
    const dek = await frozen.unwrap({ wrapped: FROZEN.wrapped, kekId: FROZEN.kekId }, whose)
    expect(dek.toString('hex')).toBe(FROZEN.dek)
  })

  it('gives the KEK an id that stays, and that tells nothing simple about it', async () => {
    const ids = await Promise.all([kms, localKms({ key })].map(async (each) => (await each.generate(identity)).kekId))
    expect(ids[0]).toBe(ids[1])
    expect(ids[0]).toMatch(/^local:[0-9a-f]{16}$/)
  })

  it('shows no secret when it is inspected or made JSON', () => {
    const shown = inspect(kms, { depth: 9, showHidden: true }) + JSON.stringify(kms)
    for (const form of [key, kek.toString('hex'), kek.toString('base64url')]) expect(shown).not.toContain(form)
    expect(JSON.parse(JSON.stringify(kms))).toEqual({ name: 'local' })
  })
})
