import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { pkcs11Kms } from 'fieldseal/pkcs11'
import type { DekIdentity } from '../../../src/keys/kms.js'
import { refusal, refusalCode } from '../../support/refusal.js'
import { type Around, pkcs11Error } from './aroundModule.js'
import { onSoftHsm } from './onSoftHsm.js'
import { PIN, TOKEN } from './token.js'

const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }
const program = fileURLToPath(new URL('./programs/threads.ts', import.meta.url))
const isAnswer = (name: string) => name === 'C_EncryptAsync' || name === 'C_DecryptAsync'

/** Counts the calls of each function. */
function counted(): { readonly around: Around; readonly counts: { [name: string]: number } } {
  const counts: { [name: string]: number } = {}
  const around: Around = (name, call) => {
    counts[name] = (counts[name] ?? 0) + 1
    return call()
  }
  return { around, counts }
}

await onSoftHsm('sessions with a token', ({ softHsm, user, kmsOf }) => {
  it.each<[how: string, lose: () => void]>([
    ['closed', () => user.closeAllSessions()],
    ['logged out', () => user.logOut()],
    ['gone with the module, which was finalized', () => softHsm.finalize()],
  ])('that are %s are opened and logged in again, by all calls at once', async (_, lose) => {
    const { around, counts } = counted()
    const kms = kmsOf({ maxRetries: 0 }, around)
    const { dek, ...wrapped } = await kms.generate(identity)
    lose()
    counts.C_Login = 0
    const all = await Promise.all(Array.from({ length: 20 }, () => kms.unwrap(wrapped, identity)))
    for (const each of all) expect(each).toEqual(dek)
    expect(counts.C_Login).toBe(1)
  })

  it('are as many as the option says, each for one call at a time', async () => {
    const busy = new Set<string>()
    let most = 0
    const sessions = new Set<string>()
    const kms = kmsOf({ sessions: 3 }, async (name, call, [session]) => {
      if (!isAnswer(name)) return call()
      const id = (session as Buffer).toString('hex')
      expect(busy.has(id)).toBe(false)
      busy.add(id)
      sessions.add(id)
      most = Math.max(most, busy.size)
      await sleep(5)
      return Promise.resolve(call()).finally(() => busy.delete(id))
    })
    await Promise.all(Array.from({ length: 30 }, () => kms.generate(identity)))
    expect([most, sessions.size]).toEqual([3, 3])
  })

  it('that are busy with a call nobody waits for any longer are left alone until it is over, and its DEK is zeroed', async () => {
    let slow = false
    let late: Buffer | undefined
    const answers: Promise<unknown>[] = []
    const kms = kmsOf({ sessions: 1, timeout: 300, maxRetries: 0 }, (name, call) => {
      if (!isAnswer(name) || !slow) return call()
      const answer = sleep(900).then(async () => {
        late = (await call()) as Buffer
        return late
      })
      answers.push(answer)
      return answer
    })
    const { dek, ...wrapped } = await kms.generate(identity)
    slow = true
    expect(await refusalCode(() => kms.unwrap(wrapped, identity))).toBe('KMS_UNAVAILABLE')
    slow = false
    const error = await refusal(() => kms.unwrap(wrapped, identity))
    expect([error.code, error.message]).toEqual(['KMS_UNAVAILABLE', expect.stringContaining('"sessions"')])
    await Promise.all(answers)
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
    expect(late?.equals(Buffer.alloc(32))).toBe(true)
  })

  it('are for reading and writing where the module has no others', async () => {
    const flags: unknown[] = []
    const kms = kmsOf({}, (name, call, args) => {
      if (name !== 'C_OpenSession') return call()
      flags.push(args[1])
      if (args[1] === 4) throw pkcs11Error('CKR_FUNCTION_FAILED', 0x6)
      return call()
    })
    const made = await Promise.all([1, 2].map(() => kms.generate(identity)))
    expect([made.length, flags]).toEqual([2, [4, 6, 6]])
  })

  it('are logged out and closed by close, after calls under way; later calls fail', async () => {
    const { around, counts } = counted()
    const kms = kmsOf({}, around)
    await kms.generate(identity)
    const under = Promise.allSettled([1, 2, 3, 4, 5, 6].map(() => kms.generate(identity)))
    await new Promise(setImmediate)
    await Promise.all([kms.close(), kms.close()])
    expect((await under).slice(0, 4).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
    expect(counts.C_Logout).toBe(1)
    expect(counts.C_CloseSession).toBe(counts.C_OpenSession)
    expect((await refusal(() => kms.generate(identity))).message).toMatch(/was closed/)
  })

  it('are the same for two objects of pkcs11js, of which one finds the module initialized', async () => {
    const keyId = user.createKek()
    const other = pkcs11Kms({ pkcs11: softHsm.another(), token: TOKEN, pin: PIN, keyId })
    const one = kmsOf({ keyId })
    const { dek, ...wrapped } = await one.generate(identity)
    expect(await other.unwrap(wrapped, identity)).toEqual(dek)
    await other.close()
    expect(await one.unwrap(wrapped, identity)).toEqual(dek)
  })

  it('are used by several threads of a process, and by several processes, at once', async () => {
    const keyId = user.createKek()
    const { env, pkcs11js, library } = softHsm.forOthers()
    const args = ['--import', 'tsx', program, pkcs11js, library, TOKEN, PIN, keyId]
    const programs = [1, 2].map(() => promisify(execFile)(process.execPath, args, { env }))
    const here = await kmsOf({ keyId }).generate(identity)
    const outputs = (await Promise.all(programs)).map(({ stdout }) => stdout.trim())
    expect([here.dek.length, outputs]).toEqual([32, ['[300,300,300]', '[300,300,300]']])
  })

  it('may be those of a proxy, whose functions answer promises', async () => {
    const kms = kmsOf({}, async (_, call) => {
      await sleep(1)
      return call()
    })
    const { dek, ...wrapped } = await kms.generate(identity)
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  })

  it('are found by the id of the slot as well', async () => {
    const slot = Number(softHsm.slotOf(TOKEN).readBigUInt64LE())
    const kms = kmsOf({ token: undefined, slot })
    expect((await kms.generate(identity)).dek.length).toBe(32)
  })

  it('with no such token are KMS_UNAVAILABLE, as it may come back', async () => {
    const error = await refusal(() => kmsOf({ token: 'nobody', maxRetries: 1 }).generate(identity))
    expect([error.code, error.message]).toEqual([
      'KMS_UNAVAILABLE',
      expect.stringMatching(
        /^PKCS#11 token "nobody", C_Encrypt .*CKR_TOKEN_NOT_PRESENT after 2 attempts\. .*--list-slots/,
      ),
    ])
    expect(error.cause).toEqual({ code: 'CKR_TOKEN_NOT_PRESENT' })
  })

  it('with a token that goes away and comes back need "reinitialize" with a module that does not notice', async () => {
    const keyId = user.createKek()
    const [stuck, kms] = [kmsOf({ keyId, maxRetries: 0 }), kmsOf({ keyId, maxRetries: 1, reinitialize: true })]
    const { dek, ...wrapped } = await stuck.generate(identity)
    softHsm.takeAway()
    expect(await refusalCode(() => stuck.unwrap(wrapped, identity))).toBe('KMS_UNAVAILABLE')
    softHsm.bringBack()
    expect(await refusalCode(() => stuck.unwrap(wrapped, identity))).toBe('KMS_UNAVAILABLE')
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
    expect(await stuck.unwrap(wrapped, identity)).toEqual(dek)
  })
})
