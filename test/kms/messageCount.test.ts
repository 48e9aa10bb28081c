import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { encryptsValues, type ValueKms } from '../../src/keys/kms.js'
import { MessageCount, messageCountOf } from '../../src/kms/messageCount.js'
import { refusal, refusalCode } from '../support/refusal.js'

const program = fileURLToPath(new URL('./programs/warnAtHalf.ts', import.meta.url))
const identity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' } as const
const here = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }

function valueKms(key: string): ValueKms {
  const kms = localKms({ key })
  if (!encryptsValues(kms)) throw new Error('it encrypts no values')
  return kms
}

describe('the messages under a key that no keys table counts', () => {
  it('end at 2^32, before the next is encrypted', async () => {
    const count = new MessageCount('the KEK')
    count.add(2 ** 32 - 1)
    expect(await refusalCode(() => count.add(2))).toBe('KMS_KEY_UNUSABLE')
    count.add()
    const error = await refusal(() => count.add())
    expect(error).toMatchObject({ code: 'KMS_KEY_UNUSABLE', message: expect.stringMatching(/2\^32.*the KEK.*"from"/) })
  })

  it('are told of once, by a warning of the process, when half are used', async () => {
    // A process of its own: the one of tests gives its warnings to itself.
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program])
    const [before, half, after] = JSON.parse(stdout)
    expect([before, after]).toEqual([[], []])
    expect(half).toEqual([
      {
        name: 'FieldsealWarning',
        code: 'FIELDSEAL_KEK_NEAR_LIMIT',
        message: expect.stringContaining('the KEK local:half'),
      },
    ])
  })
})

describe('localKms, the messages under its KEK', () => {
  it('count together over all that have the KEK in this process, made and taken over', async () => {
    const key = randomBytes(32).toString('base64')
    const [one, other] = [localKms({ key }), localKms({ key })]
    const { kekId, ...made } = await one.generate(identity)
    const spent = messageCountOf(`the KEK ${kekId}`)
    spent.add(2 ** 32 - 2)
    await other.wrap!(randomBytes(32), identity)
    for (const kms of [one, other]) {
      expect(await refusalCode(() => kms.generate(identity))).toBe('KMS_KEY_UNUSABLE')
      expect(await refusalCode(() => kms.wrap!(randomBytes(32), identity))).toBe('KMS_KEY_UNUSABLE')
      expect(await kms.unwrap({ ...made, kekId }, identity)).toEqual(made.dek)
      expect(await kms.rewrap!({ ...made, kekId }, identity)).toMatchObject({ kekId })
    }
  })

  it('count values apart: they are under another key', async () => {
    const key = randomBytes(32).toString('base64')
    const kms = valueKms(key)
    const { kekId } = await kms.generate(identity)
    const text = await kms.encrypt(Buffer.from('x'), here)
    messageCountOf(`the key for values of the KEK ${kekId}`).add(2 ** 32 - 1)
    expect(await refusalCode(() => valueKms(key).encrypt(Buffer.from('x'), here))).toBe('KMS_KEY_UNUSABLE')
    expect(await kms.decrypt(text, here)).toEqual(Buffer.from('x'))
    expect((await kms.generate(identity)).kekId).toBe(kekId)
  })
})
