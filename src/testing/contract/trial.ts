import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import type { ErrorCode, FieldsealError } from '../../errors.js'
import type { DekIdentity, Kms, ValueIdentity, WrappedDek } from '../../keys/kms.js'
import { assertPresent } from './capabilities.js'
import type { Counterpart, KmsCapability, KmsSetting, KmsUnderTest, TestedKms } from './kmsUnderTest.js'
import { assertRefused, assertSecretive, RAW_MESSAGE } from './secrecy.js'

/** One test: a claim about a `Kms`, in one sentence. */
export interface Cell {
  readonly title: string
  /** What it cannot be tested without. */
  readonly needs?: readonly KmsCapability[]
  readonly run: (trial: Trial) => Promise<void>
}

export interface Section {
  readonly title: string
  readonly cells: readonly Cell[]
}

/** A DEK and a value from a time when all was well. */
export interface Prepared {
  readonly identity: DekIdentity
  readonly dek: Buffer
  readonly wrapped: WrappedDek
  readonly valueIdentity: ValueIdentity
  readonly value: Buffer
  /** `''` where there are no values. */
  readonly ciphertext: string
}

const PATIENCE = 10_000

/** Every code with which a `Kms` may refuse. */
export const KMS_CODES: readonly ErrorCode[] = [
  'KMS_UNAVAILABLE',
  'KMS_THROTTLED',
  'KMS_DENIED',
  'KMS_KEY_UNUSABLE',
  'KMS_REFUSED',
]

/** What happens in one cell: one service, and the processes that use it. */
export class Trial {
  readonly subject: KmsUnderTest
  readonly patience: number
  readonly #known: Buffer[] = []

  private constructor(subject: KmsUnderTest, patience: number) {
    this.subject = subject
    this.patience = patience
  }

  /** Starts the service for a cell, and ends it however that goes. */
  static async run({ start, patience = PATIENCE }: TestedKms, { needs = [], run }: Cell): Promise<void> {
    const subject = await start()
    try {
      for (const capability of needs) assertPresent(capability, subject)
      await run(new Trial(subject, patience))
    } finally {
      await subject.close()
    }
  }

  /** Only what a cell needs is sure to be there. */
  get counterpart(): Counterpart {
    return this.subject as KmsUnderTest & Counterpart
  }

  get own(): string {
    return this.subject.keyIds[0]
  }

  get other(): string {
    return this.subject.keyIds[1]
  }

  /** Another process. */
  kmsOf(setting: KmsSetting = {}): Kms {
    return this.subject.kmsOf(setting)
  }

  /** From now on no error may show these bytes. */
  known(...secrets: readonly Buffer[]): void {
    for (const secret of secrets) this.#known.push(Buffer.from(secret))
  }

  /** A DEK, and a value if there are any, that one process made; the bytes are known from now on. */
  async prepared(kms: Kms = this.kmsOf()): Promise<Prepared> {
    const [identity, valueIdentity] = [dekIdentity(), newValueIdentity()]
    const { dek, ...wrapped } = await this.timely(kms.generate(identity))
    const value = randomBytes(48)
    this.known(dek, value)
    const ciphertext = kms.encrypt ? await this.timely(kms.encrypt(Buffer.from(value), valueIdentity)) : ''
    return { identity, dek: Buffer.from(dek), wrapped: Object.freeze(wrapped), valueIdentity, value, ciphertext }
  }

  /** What does not hang. */
  async timely<T>(work: Promise<T>, milliseconds = this.patience): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const message = `It has not ended after ${milliseconds} ms.`
      timer = setTimeout(() => reject(new assert.AssertionError({ message })), milliseconds)
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }

  /** Asserts that a call is refused with one of the codes, in time, and that its error keeps secrets. */
  async refused(
    work: () => Promise<unknown>,
    codes: readonly ErrorCode[],
    milliseconds?: number,
  ): Promise<FieldsealError> {
    const timely = () => this.timely(promiseOf(work), milliseconds)
    return assertRefused(timely, { codes, bytes: this.#known, texts: this.#texts })
  }

  /** Asserts that what is shown of a value keeps secrets. */
  secretive(shown: unknown): void {
    assertSecretive(shown, this.#known, this.#texts)
  }

  get #texts(): readonly string[] {
    return [RAW_MESSAGE, ...(this.subject.secrets ?? [])]
  }
}

/** A method of a `Kms` rejects: who calls it has a `catch` for that, and none around the call. */
function promiseOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return work()
  } catch {
    assert.fail('It threw, where it must give a promise that rejects.')
  }
}

/** Frozen: a `Kms` changes nothing of what it is given. */
export function dekIdentity(part: Partial<DekIdentity> = {}): DekIdentity {
  return Object.freeze({ key: randomUUID(), purpose: 'encrypt', tenant: 'acme', ...part })
}

export function newValueIdentity(part: Partial<ValueIdentity> = {}): ValueIdentity {
  const aad = randomBytes(32).toString('base64url')
  return Object.freeze({ aad, field: 'User.apiKey', tenant: 'acme', ...part })
}

/** Asserts that bytes are the expected ones, and shows none of them if not. */
export function assertBytes(bytes: unknown, expected: Buffer, what: string): void {
  assert.ok(Buffer.isBuffer(bytes), `${what} is no Buffer.`)
  assert.equal(bytes.length, expected.length, `${what} has another length.`)
  assert.ok(bytes.equals(expected), `${what} is another one.`)
}
