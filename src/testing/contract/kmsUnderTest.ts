import type { Kms } from '../../keys/kms.js'

/** How a `Kms` under test is made. All times in milliseconds, as in the options of `tencentKms`. */
export interface KmsSetting {
  /** One of `keyIds`, the first unless given; or a function of the tenant, as an app gives it. */
  readonly keyId?: string | ((tenant: string) => string)
  /** None unless given. */
  readonly formerKeyIds?: readonly string[] | ((tenant: string) => readonly string[])
  readonly timeout?: number
  readonly attemptTimeout?: number
  readonly maxRetries?: number
  readonly concurrency?: number
}

/** What the service at the other end, or an emulator of it, lets a test do. What holds, holds until `clear()`. */
export interface Counterpart {
  /** `enable` ends it. */
  disable(keyId: string): unknown
  enable(keyId: string): unknown
  /** Adds a version to a KEK, for what is wrapped from then on. */
  rotate(keyId: string): unknown
  scheduleDeletion(keyId: string): unknown
  /** The KEK is gone for good. */
  destroy(keyId: string): unknown
  /** Refuses so many requests for their rate, or all of them. */
  throttle(times: number | 'always'): unknown
  /** Nothing reaches the service. */
  outage(): unknown
  /** Each answer comes so much later. */
  slow(milliseconds: number): unknown
  /** The connection is cut in the middle of each answer. */
  hangUp(): unknown
  /** Each answer lacks its end, and says that it is whole. */
  truncate(): unknown
  /** Each answer becomes another one: JSON, as it is sent. */
  alter(change: (answer: string) => string): unknown
  /** The credentials are good, and do not allow it. */
  deny(): unknown
  /** The credentials were good once. */
  expireCredentials(): unknown
  /** Requests so far, and how many of them were in flight at once at most. */
  calls(): { readonly count: number; readonly maxInFlight: number }
  /** All is well again, but for the KEKs. */
  clear(): unknown
}

/** A `Kms` and the service behind it, which are there for one test. */
export interface KmsUnderTest extends Partial<Counterpart> {
  /** Two KEKs of the service, both enabled: that of all tenants, and one that is nobody's. */
  readonly keyIds: readonly [own: string, other: string]
  /**
   * The `Kms` as another process has it: nothing in the memory of an earlier one is known to it. It throws for a setting
   * that the `Kms` has no counterpart for, and may leave out the times of one that calls no service.
   */
  kmsOf(setting?: KmsSetting): Kms
  /** What no error may show beside keys and values: the secrets of credentials, say. */
  readonly secrets?: readonly string[]
  close(): unknown
}

/** What a `Kms` or its counterpart may lack. */
export type KmsCapability =
  /** `wrap` */
  | 'wrap'
  /** `rewrap` */
  | 'rewrap'
  /** `encrypt` and `decrypt` */
  | 'values'
  /** Former KEKs. */
  | 'formerKeyIds'
  /** A KEK for each tenant. */
  | 'keyIdOf'
  /** That no character of a wrapped text or ciphertext can be changed unnoticed. Those of several KMSs survive a change. */
  | 'strictText'
  /** What a counterpart can do; `disable` with `enable`, and with all that break something `clear`. */
  | Exclude<keyof Counterpart, 'enable' | 'clear'>

/** What to test. */
export interface TestedKms {
  /** For titles: the function that makes it. */
  readonly name: string
  /** Starts a service with its KEKs, and what is needed to make a `Kms` over it. Asked for each test. */
  readonly start: () => KmsUnderTest | Promise<KmsUnderTest>
  /** What it cannot do, which is then tested to be absent; nothing unless given. */
  readonly lacks?: readonly KmsCapability[]
  /** How many milliseconds a call may take before it is said to hang; 10,000 unless given. */
  readonly patience?: number
}

/** Lacking in a `Kms` that calls no service, or whose service can neither be broken nor told what to do with its keys. */
export const NO_COUNTERPART: readonly KmsCapability[] = [
  'disable',
  'rotate',
  'scheduleDeletion',
  'destroy',
  'throttle',
  'outage',
  'slow',
  'hangUp',
  'truncate',
  'alter',
  'deny',
  'expireCredentials',
  'calls',
]
