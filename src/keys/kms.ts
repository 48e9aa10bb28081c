import type { KeyHolder } from './notifications/keyNotification.js'

/** What a DEK is bound to inside the KMS: its encryption context. */
export interface DekIdentity {
  /** The DEK's id, a lower-case UUID. */
  readonly key: string
  /**
   * `check` of one that is made to try the KMS, and thrown away; `maintenance` of one that authenticates a run of
   * maintenance, which is kept beside that and encrypts nothing.
   */
  readonly purpose: Purpose | 'check' | 'maintenance'
  readonly tenant: string
}

/** That of a DEK which is kept. */
export interface KeptIdentity extends DekIdentity {
  readonly purpose: Purpose
}

/** Where a value that the KMS itself encrypts belongs, and what it is bound to: its encryption context. */
export interface ValueIdentity {
  /** The digest of the whole AAD, with the bound values, as base64url. */
  readonly aad: string
  /** `Model.field`, or what `as:` pins. */
  readonly field: string
  readonly tenant: string
}

/** `encrypt`: encrypts values. `index`: makes blind indexes. `wrap`: wraps other DEKs, where there is a key hierarchy. */
export type Purpose = 'encrypt' | 'index' | 'wrap'

/** Purposes whose DEKs encrypt with random nonces: their messages are counted, and they are succeeded by new ones. */
export type CountedPurpose = Exclude<Purpose, 'index'>

/** A DEK under its KEK, as the keys table keeps it. */
export interface WrappedDek {
  /** The KMS's own opaque text. */
  readonly wrapped: string
  /** The id of the KEK that wraps it, as the KMS answered it. */
  readonly kekId: string
  /** For the `kms` column, where it is not the `name` of the `Kms` that gave this; what is in it of a stored row. */
  readonly kms?: string
}

/** A new DEK, unwrapped and wrapped. */
export interface GeneratedDek extends WrappedDek {
  /** 32 bytes, owned by the caller, who zeroes them. */
  readonly dek: Buffer
}

/**
 * The seam to a key management service: it makes DEKs and unwraps them. An implementation retries what is worth retrying,
 * keeps its own deadline, and throws a `FieldsealError` with a `KMS_*` code and no key material in it. It never returns a
 * DEK that is not 32 bytes, and never one that was bound to another identity, or that is under a KEK which is not the
 * tenant's own: the row of the keys table that names a KEK may be somebody else's writing. The tenant `*` stands for keys
 * that serve all.
 *
 * What else it can do, it shows by having the members of a capability: `TakesOver`, `Rewraps`, `EncryptsValues`.
 *
 * @example
 * ```ts
 * const kms: Kms = {
 *   name: 'vault',
 *   generate: async (identity) => wrapped(randomBytes(32), identity),
 *   unwrap: async ({ wrapped, kekId }, identity) => opened(wrapped, kekId, identity),
 * }
 * ```
 */
export interface Kms extends Partial<TakesOver>, Partial<Rewraps>, Partial<EncryptsValues>, KmsParts {
  /** Written to the `kms` column of the keys table: `tencent`, `local`, … */
  readonly name: string
  /** Makes a new random DEK, bound to `identity`, under the KEK of its tenant. */
  generate(identity: DekIdentity): Promise<GeneratedDek>
  /**
   * Unwraps a DEK into 32 bytes, owned by the caller, who zeroes them. One under a KEK that is neither the tenant's now nor
   * is said to have been is `KMS_KEY_UNUSABLE`; so it is for `rewrap`.
   */
  unwrap(wrapped: WrappedDek, identity: DekIdentity): Promise<Buffer>
}

/** Takes over the keys of another KMS. */
export interface TakesOver {
  /** Wraps a DEK that another KMS made, and leaves `dek` as it is. */
  wrap(dek: Buffer, identity: DekIdentity): Promise<WrappedDek>
}

/** Keeps DEKs under the newest KEK. */
export interface Rewraps {
  /**
   * The same DEK under the newest version of the KEK of its tenant, which may be another KEK by now, without it leaving
   * the KMS; what was given when nothing is newer.
   */
  rewrap(wrapped: WrappedDek, identity: DekIdentity): Promise<WrappedDek>
}

/** Encrypts values itself, for fields with `mode: kms`. */
export interface EncryptsValues {
  /**
   * Encrypts a value under the KEK of its tenant, bound to `identity`. Leaves `plaintext`, of 1 to 4,096 bytes, as it is.
   *
   * @returns the KMS's own opaque text
   */
  encrypt(plaintext: Buffer, identity: ValueIdentity): Promise<string>
  /**
   * Decrypts what `encrypt` answered, into bytes owned by the caller. A text that was changed or has another identity is
   * `KMS_REFUSED`.
   */
  decrypt(ciphertext: string, identity: ValueIdentity): Promise<Buffer>
  /** How many values of one operation are sent at once; 20 unless given. */
  readonly concurrency?: number
}

/** What a `Kms` that is made of others tells of them. */
export interface KmsParts {
  /** Other names in the `kms` column whose keys it unwraps as well. */
  readonly reads?: readonly string[]
  /** The KMSs that it is made of, if any of them can do what it does: each is tried by itself. */
  readonly members?: { readonly [name: string]: Kms }
  /** It spares each of its parts while that is down: nothing around it holds calls back, which would reach all of them. */
  readonly ownBreaker?: boolean
  /** Holds what it keeps in memory of keys in the keys table, to be told what other processes do with them. */
  readonly holder?: KeyHolder
}

/** A `Kms` that encrypts values itself. */
export type ValueKms = Kms & EncryptsValues

export function encryptsValues(kms: Kms): kms is ValueKms {
  return typeof kms.encrypt === 'function' && typeof kms.decrypt === 'function'
}

/** Whether a `Kms` unwraps the keys of rows with this name in the `kms` column. */
export function reads(kms: Kms, name: string): boolean {
  return name === kms.name || (kms.reads?.includes(name) ?? false)
}
