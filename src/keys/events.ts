import type { ErrorCode } from '../errors.js'
import type { SkipReason } from './keyTraces.js'
import type { Purpose } from './kms.js'
import type { FailedAttempt } from './retries.js'

/** What happened, for logs, alerts and metrics. No event holds a value or a key; tenant and key ids are in plain. */
export type EncryptionEvent =
  /** A new DEK is in the keys table. `previous` is the version that it succeeds. */
  | {
      readonly type: 'key.created'
      readonly tenant: string
      readonly purpose: Purpose
      readonly key: string
      readonly version: number
      readonly previous: number | undefined
    }
  /**
   * A tenant's first DEK is about to be made, and whether one was lost was not found out of a model: to look took too long,
   * or is not permitted.
   */
  | {
      readonly type: 'key.unchecked'
      readonly tenant: string
      readonly purpose: Purpose
      readonly model: string
      readonly reason: SkipReason
    }
  /** A new active DEK has taken an older one's place by request or by age. */
  | { readonly type: 'key.rotated'; readonly tenant: string; readonly key: string }
  /** Keys of a tenant were dropped from memory, because they were destroyed or another process said so. */
  | { readonly type: 'key.evicted'; readonly tenant: string }
  /** A DEK served on although it could not be asked for; `code` says why not. */
  | { readonly type: 'key.stale'; readonly tenant: string; readonly key: string; readonly code: ErrorCode }
  /** A call of the KMS has ended; `code` when it failed. Retries within it are one call. */
  | (KmsCall & {
      readonly type: 'kms.call'
      readonly tenant: string
      readonly milliseconds: number
      readonly code: ErrorCode | undefined
    })
  /** An attempt within a call of the KMS failed, and there will be another one. */
  | (KmsCall & FailedAttempt & { readonly type: 'kms.retry'; readonly tenant: string })
  /** A tenant's keys were destroyed by this process. */
  | { readonly type: 'key.destroyed'; readonly tenant: string; readonly keys: readonly string[] }
  /**
   * Values of one field in one operation were encrypted, decrypted, decrypted to be masked, or made blind indexes of.
   * `purpose` is the client's, or that of `withTenant`.
   */
  | {
      readonly type: 'values'
      readonly field: string
      readonly mode: 'encrypt' | 'decrypt' | 'mask' | 'index'
      readonly count: number
      readonly purpose: string | undefined
    }
  /** So many values that were put there as bait (option `honeytokens`) were decrypted by one operation. */
  | {
      readonly type: 'honeytoken'
      readonly tenant: string | null
      readonly actor: string | undefined
      readonly purpose: string | undefined
      readonly operation: string
      readonly field: string
      readonly count: number
    }
  /** An operation on encrypted fields was refused or failed in this library. */
  | {
      readonly type: 'refused'
      readonly model: string
      readonly operation: string
      readonly code: ErrorCode
      readonly purpose: string | undefined
    }
  /** A client was made where the addon does not load, though it was not declined; `reason` says why. */
  | { readonly type: 'engine.fallback'; readonly reason: string }

export type Emit = (event: EncryptionEvent) => void

/** Where a call of the KMS runs inside: a span of a tracer. */
export type Around = <T>(call: KmsCall, work: () => Promise<T>) => Promise<T>

export interface KmsCall {
  readonly action: 'generate' | 'unwrap' | 'wrap' | 'rewrap' | 'encrypt' | 'decrypt'
  readonly kms: string
  /** `value`: of a field with `mode: kms`. */
  readonly purpose: Purpose | 'check' | 'maintenance' | 'value'
  /** The DEK's id, unless it is about a value. */
  readonly key?: string
  /** The value's field, by the name that `as:` pins if it does. */
  readonly field?: string
}

/** Takes part in what the library does: metrics and traces. */
export interface Telemetry {
  readonly onEvent: Emit
  readonly around?: Around
  /** Given once: how to read the figures of `$encryption.stats()`. */
  readonly watch?: (stats: () => CacheFigures) => void
}

export interface CacheFigures {
  readonly cachedDeks: number
  readonly cacheHits: number
  readonly cacheMisses: number
}

/** One function for many listeners; `undefined` for none. A listener that throws disturbs nobody. */
export function emitTo(listeners: readonly (Emit | undefined)[]): Emit | undefined {
  const all = listeners.filter((listener) => listener !== undefined)
  if (all.length === 0) return undefined
  return (event) => {
    for (const listener of all) {
      try {
        listener(event)
      } catch {
        // What watches must not decide.
      }
    }
  }
}
