import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { type KmsSetting, type KmsUnderTest, type TestedKms, testKms } from 'fieldseal/testing'
import type { DekIdentity, Kms, WrappedDek } from '../../src/keys/kms.js'
import { testedLocal, testedTencent } from '../kms/tested.js'

interface CollectedCell {
  readonly title: string
  readonly run: () => Promise<void>
}

/** The cells of a suite, for a runner that only collects them. */
function cellsOf(tested: TestedKms): CollectedCell[] {
  const [cells, path]: [CollectedCell[], string[]] = [[], []]
  testKms(tested, {
    describe: (title, tests) => {
      path.push(title)
      tests()
      path.pop()
    },
    it: (title, run) => cells.push({ title: [...path.slice(1), title].join(' '), run }),
  })
  return cells
}

/** The titles of the cells that fail, of those that fit. */
async function failuresOf(tested: TestedKms, fits: RegExp): Promise<string[]> {
  const cells = cellsOf(tested).filter(({ title }) => fits.test(title))
  expect(cells.length).toBeGreaterThan(0)
  const outcomes = await Promise.allSettled(cells.map(({ run }) => run()))
  return cells.flatMap(({ title }, i) => (outcomes[i]!.status === 'rejected' ? [title] : []))
}

type Mutation = (kms: Kms, subject: KmsUnderTest, setting: KmsSetting) => Partial<Kms>

/** `tencentKms` over its emulator, with something wrong. */
function mutant(mutation: Mutation): TestedKms {
  const start = async (): Promise<KmsUnderTest> => {
    const subject = await testedTencent.start()
    const kmsOf = (setting: KmsSetting = {}): Kms => {
      const kms = subject.kmsOf(setting)
      return { ...kms, ...mutation(kms, subject, setting) }
    }
    return { ...subject, kmsOf }
  }
  return { name: 'a mutant', start, patience: 3_000 }
}

/** What a `Kms` that keeps DEKs where it should not could know, by wrapped text. */
function remembering(): { keep(wrapped: WrappedDek, dek: Buffer): void; of(wrapped: WrappedDek): Buffer | undefined } {
  const deks = new Map<string, Buffer>()
  return {
    keep: ({ wrapped }, dek) => void deks.set(wrapped, Buffer.from(dek)),
    of: ({ wrapped }) => deks.get(wrapped),
  }
}

const rightful: DekIdentity = { key: '6b1b36cb-6a4a-4f9e-9f43-0e2b7d2d3c11', purpose: 'encrypt', tenant: 'acme' }

/** Binds every DEK to one identity instead of its own. */
const ignoresIdentity: Mutation = (kms) => ({
  generate: () => kms.generate(rightful),
  unwrap: (wrapped) => kms.unwrap(wrapped, rightful),
  wrap: (dek) => kms.wrap!(dek, rightful),
  rewrap: (wrapped) => kms.rewrap!(wrapped, rightful),
})

/** Believes the row as to which KEK it is. */
const believesTheRow: Mutation = (_, subject, setting) => {
  const own = typeof setting.keyId === 'string' ? setting.keyId : subject.keyIds[0]
  const formerKeyIds = subject.keyIds.filter((keyId) => keyId !== own)
  const credulous = subject.kmsOf({ ...setting, keyId: own, formerKeyIds })
  return { unwrap: credulous.unwrap, rewrap: credulous.rewrap! }
}

/** Takes whatever KEK opens the text, and never looks at the id. */
const ignoresKekId: Mutation = (kms, subject) => ({
  unwrap: async ({ wrapped }, identity) => {
    for (const keyId of subject.keyIds) {
      const dek = await subject
        .kmsOf({ keyId })
        .unwrap({ wrapped, kekId: keyId }, identity)
        .catch(() => undefined)
      if (dek) return dek
    }
    return kms.unwrap({ wrapped, kekId: subject.keyIds[0] }, identity)
  },
})

/** Quotes in its error what was to be opened. */
function leaks(show: (dek: Buffer) => { message: string; cause?: unknown }): Mutation {
  const known = remembering()
  return (kms) => ({
    generate: async (identity) => {
      const made = await kms.generate(identity)
      known.keep(made, made.dek)
      return made
    },
    unwrap: (wrapped, identity) =>
      kms.unwrap(wrapped, identity).catch((error: FieldsealError) => {
        const { message, cause } = show(known.of(wrapped) ?? Buffer.alloc(32))
        throw new FieldsealError(error.code, `${error.message} ${message}`, { cause })
      }),
  })
}

/** Keeps on asking, whatever the deadline. */
const retriesForEver: Mutation = (kms) => {
  const again = async <T>(work: () => Promise<T>): Promise<T> => {
    for (const until = Date.now() + 12_000; ; ) {
      try {
        return await work()
      } catch (error) {
        if (Date.now() > until || !FieldsealError.is(error, 'KMS_THROTTLED')) throw error
      }
    }
  }
  return { generate: (identity) => again(() => kms.generate(identity)) }
}

const pool = Buffer.alloc(1 << 16)

const MUTANTS: readonly (readonly [what: string, mutation: Mutation, among: RegExp, found: RegExp])[] = [
  ['ignores the identity', ignoresIdentity, /^the identity/, /not unwrapped with another tenant$/],
  ['believes the row as to the KEK', believesTheRow, /^a DEK under/, /somebody else's KEK, for the very identity/],
  ['does not look at the id of the KEK', ignoresKekId, /^a DEK under/, /own KEK is refused where its row claims/],
  [
    'shows a DEK in a message',
    leaks((dek) => ({ message: dek.toString('base64') })),
    /^the identity/,
    /not unwrapped with another tenant$/,
  ],
  [
    'shows a DEK in a cause, as bytes',
    leaks((dek) => ({ message: '', cause: { answer: dek } })),
    /^the identity/,
    /not unwrapped with another purpose$/,
  ],
  [
    'shows a piece of a DEK as hex',
    leaks((dek) => ({ message: `near ${dek.subarray(3, 14).toString('hex')}` })),
    /^the identity/,
    /not unwrapped with another field$|another tenant$/,
  ],
  ['retries for ever', retriesForEver, /throttled without end/, /throttled without end .*\(generate\)/],
  [
    'gives a slice of a pool',
    (kms) => ({
      unwrap: async (wrapped, identity) => {
        const dek = await kms.unwrap(wrapped, identity)
        dek.copy(pool)
        return pool.subarray(0, 32)
      },
    }),
    /^a DEK (has memory|belongs)/,
    /has memory of its own/,
  ],
  [
    'keeps the DEK that it gave, and gives it again',
    (kms) => {
      const given = new Map<string, Promise<Buffer>>()
      return {
        unwrap: (wrapped, identity) => {
          const text = wrapped.wrapped + JSON.stringify(identity)
          if (!given.has(text)) given.set(text, kms.unwrap(wrapped, identity))
          return given.get(text)!
        },
      }
    },
    /^a DEK (has memory|belongs)/,
    /belongs to the caller/,
  ],
  [
    'gives the DEK of an earlier call',
    (kms) => {
      let first: ReturnType<Kms['generate']> | undefined
      return {
        generate: async (identity) => {
          first ??= kms.generate(identity)
          const made = await first
          return { ...made, dek: Buffer.from(made.dek) }
        },
      }
    },
    /^a DEK is never made twice/,
    /never made twice/,
  ],
  [
    'zeroes a DEK that it takes over',
    (kms) => ({
      wrap: async (dek, identity) => {
        const wrapped = await kms.wrap!(dek, identity)
        dek.fill(0)
        return wrapped
      },
    }),
    /^a DEK/,
    /is taken over, and left as it is/,
  ],
  [
    'makes another DEK when it should rewrap',
    (kms) => ({
      rewrap: async (_, identity) => {
        const { wrapped, kekId } = await kms.generate(identity)
        return { wrapped, kekId }
      },
    }),
    /^a DEK/,
    /is the same one after a rewrap/,
  ],
  [
    'moves what nothing is newer for',
    (kms) => ({
      rewrap: async (wrapped, identity) => kms.wrap!(await kms.unwrap(wrapped, identity), identity),
    }),
    /^(a DEK|with a rotated)/,
    /comes back from a rewrap as it was given/,
  ],
  [
    'lets a DEK of another length out',
    (kms) => {
      const lengths = remembering()
      return {
        wrap: async (dek, identity) => {
          const wrapped = await kms.wrap!(Buffer.concat([dek, Buffer.alloc(32)], 32), identity)
          lengths.keep(wrapped, dek)
          return wrapped
        },
        unwrap: async (wrapped, identity) => lengths.of(wrapped) ?? kms.unwrap(wrapped, identity),
      }
    },
    /^a DEK of \d/,
    /of 31 bytes does not come out/,
  ],
  [
    'throws what is no error of this library',
    (kms) => ({
      unwrap: (wrapped, identity) =>
        kms.unwrap(wrapped, identity).catch(() => {
          throw new TypeError('Cannot read properties of undefined')
        }),
    }),
    /^with a disabled KEK/,
    /unwrap is KMS_KEY_UNUSABLE/,
  ],
  [
    'repeats a message of the service',
    (kms) => ({
      generate: (identity) =>
        kms.generate(identity).catch((error: FieldsealError) => {
          throw new FieldsealError(error.code, `${error.message} a raw message of the service, which stays behind`)
        }),
    }),
    /that is denied/,
    /denied is KMS_DENIED .*\(generate\)/,
  ],
  [
    'opens DEKs of a disabled KEK from its memory',
    (() => {
      const known = remembering()
      return (kms: Kms) => ({
        generate: async (identity: DekIdentity) => {
          const made = await kms.generate(identity)
          known.keep(made, made.dek)
          return made
        },
        unwrap: async (wrapped: WrappedDek, identity: DekIdentity) =>
          known.of(wrapped) ?? (await kms.unwrap(wrapped, identity)),
      })
    })(),
    /^with a/,
    /a destroyed KEK, unwrap is KMS_KEY_UNUSABLE/,
  ],
  [
    'sends everything at once',
    (_, subject, { concurrency: __, ...setting }) => ({
      generate: subject.kmsOf({ ...setting, concurrency: 1000 }).generate,
    }),
    /waits for its turn/,
    /waits for its turn/,
  ],
  [
    'forgets the field of a value',
    (kms) => ({
      encrypt: (value, identity) => kms.encrypt!(value, { ...identity, field: '' }),
      decrypt: (text, identity) => kms.decrypt!(text, { ...identity, field: '' }),
    }),
    /^the identity of a value/,
    /not decrypted with another field/,
  ],
  [
    'opens a text with something behind it',
    (kms) => ({
      unwrap: (wrapped, identity) => kms.unwrap({ ...wrapped, wrapped: wrapped.wrapped.trimEnd() }, identity),
    }),
    /^a text that was changed/,
    /not unwrapped when it has a line break/,
  ],
]

describe('testKms', () => {
  it.each(MUTANTS)('finds out a Kms that %s', async (_, mutation, among, found) => {
    expect(await failuresOf(mutant(mutation), among)).toContainEqual(expect.stringMatching(found))
  })

  it('finds nothing in the same cells where nothing is wrong', async () => {
    const fits = /^(the identity|a DEK|a text)/
    expect(
      await failuresOf(
        mutant(() => ({})),
        fits,
      ),
    ).toEqual([])
  })

  it('has a cell for whatever is lacking, which fails where it is there after all', async () => {
    const denied = { ...testedTencent, lacks: ['values', 'wrap', 'rotate', 'formerKeyIds'] } as const
    expect(await failuresOf(denied, /^it /)).toEqual([
      'it encrypts no values: encrypt and decrypt are undefined (lacks values)',
      'it takes over no DEK of another Kms: wrap is undefined (lacks wrap)',
      'it has no versions of a KEK (lacks rotate)',
      'it knows no former KEKs: kmsOf throws for formerKeyIds (lacks formerKeyIds)',
    ])
    expect(await failuresOf(testedLocal, /^it /)).toEqual([])
  })

  it('leaves out the cells of what is lacking, and no others', () => {
    const all = cellsOf(testedTencent).map(({ title }) => title)
    const fewer = cellsOf({ ...testedTencent, lacks: ['values'] }).map(({ title }) => title)
    expect(fewer.filter((title) => /value|decrypt|(?<!purpose )encrypt/.test(title))).toEqual([
      'it encrypts no values: encrypt and decrypt are undefined (lacks values)',
    ])
    expect(
      all.filter((title) => !fewer.includes(title)).every((title) => /value|decrypt|(?<!purpose )encrypt/.test(title)),
    ).toBe(true)
    expect(new Set(all).size).toBe(all.length)
  })

  it('says what to do where something is neither there nor said to be lacking', async () => {
    const { lacks: _, ...tested } = testedLocal
    const cell = cellsOf(tested).find(({ title }) => title.startsWith('with a disabled KEK, unwrap'))
    await expect(cell!.run()).rejects.toThrow(/"disable" is not there.*"lacks"/)
  })

  it('closes the service of a cell that fails', async () => {
    let closed = 0
    const tested = mutant(ignoresIdentity)
    const start = async () => {
      const subject = await tested.start()
      const close = async () => {
        closed += 1
        await subject.close()
      }
      return { ...subject, close }
    }
    await failuresOf({ ...tested, start }, /not unwrapped with another tenant$/)
    expect(closed).toBe(1)
  })

  it('needs describe and it, of whatever runner', () => {
    const globals = globalThis as { describe?: unknown }
    const before = globals.describe
    try {
      delete globals.describe
      expect(() => testKms(testedLocal)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
    } finally {
      globals.describe = before
    }
  })

  it('works under node:test', async () => {
    const program = fileURLToPath(new URL('programs/contractUnderNodeTest.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', '--test', '--test-reporter=tap', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    })
    const output: string[] = []
    child.stdout.on('data', (text) => output.push(String(text)))
    const [code] = await once(child, 'exit')
    expect([code, output.join('')]).toEqual([0, expect.stringMatching(/# pass \d{2}[\s\S]*# fail 0/)])
    expect(output.join('')).toContain('is 32 bytes, and another process unwraps it')
  })
})
