import { readFileSync } from 'node:fs'
import type { ValueKind } from '../../src/crypto/codec.js'
import type { ValueForm } from '../../src/crypto/fieldValue.js'
import type { Purpose } from '../../src/keys/kms.js'

export interface Vectors {
  readonly deks: Record<string, { id: string; tenant: string; purpose: Purpose; dek: string }>
  readonly ciphertexts: readonly CiphertextVector[]
  readonly blindIndexes: readonly BlindIndexVector[]
  readonly combinedIndexes: readonly CombinedIndexVector[]
  readonly tokenIndexes: readonly TokenIndexVector[]
  readonly kmsValues: { readonly kek: string; readonly values: readonly KmsValueVector[] }
  readonly wrappedDeks: {
    readonly keks: { readonly [member: string]: string }
    readonly rows: readonly WrappedDekVector[]
  }
  readonly encryptionContexts: readonly { key: string; purpose: Purpose; tenant: string; text: string }[]
}

export interface CiphertextVector {
  readonly name: string
  /** A name in `deks`. */
  readonly dek: string
  readonly kind: ValueKind
  readonly list?: true
  readonly context: string
  readonly bound: readonly string[]
  readonly padTo?: number
  /** Bytes as hex, a bigint as its text, a date as ISO 8601. */
  readonly value: unknown
  readonly nonce: string
  readonly aad: string
  /** Text as it is, JSON as its text, raw as hex. */
  readonly form: 'text' | 'json' | 'raw'
  readonly stored: string
}

/** A value that `localKms` itself encrypted. */
export interface KmsValueVector extends Omit<CiphertextVector, 'dek' | 'nonce'> {
  readonly tenant: string
  /** What the KMS was given. */
  readonly plaintext: string
  readonly encryptionContext: string
  /** What it answered. */
  readonly blob: string
}

/** A row of the keys table, and the DEK in it. The KEK `north` is that of `localKms`, both are members of `redundantKms`. */
export interface WrappedDekVector {
  readonly name: string
  readonly id: string
  readonly tenant: string
  readonly purpose: Purpose
  readonly kms: string
  readonly kekId: string
  readonly wrapped: string
  readonly dek: string
}

export interface BlindIndexVector {
  readonly name: string
  readonly dek: string
  readonly kind: ValueKind
  readonly context: string
  /** `withoutBlanks` is one of the application, which drops U+0020. */
  readonly normalize: readonly string[]
  readonly bits: number
  readonly value: unknown
  readonly plaintext: string
  readonly raw: string
  readonly text: string
}

export interface CombinedIndexVector {
  readonly name: string
  readonly dek: string
  readonly sources: readonly { kind: ValueKind; context: string; value: unknown; plaintext: string }[]
  readonly message: string
  readonly normalize: readonly string[]
  readonly bits: number
  readonly raw: string
  readonly text: string
}

/** `parameters` as docs/format.md lists them; those of a range have a `unit`. */
export interface TokenIndexVector {
  readonly name: string
  readonly dek: string
  readonly context: string
  readonly parameters: { readonly [name: string]: unknown }
  /** A text, or a number of units. */
  readonly value: string
  readonly tokens: readonly string[]
}

export interface Published {
  readonly aes256gcm: readonly GcmVector[]
  readonly aes256gcmForged: readonly GcmVector[]
  readonly hkdfSha256: readonly { name: string; key: string; salt: string; info: string; length: number; okm: string }[]
  readonly hmacSha256: readonly { name: string; key: string; data: string; mac: string }[]
}

interface GcmVector {
  readonly name: string
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T
}

/** Frozen: what they hold must decrypt, and be found, for ever. Add to them, change nothing. */
export const vectors = read<Vectors>('vectors.json')

/** Values of NIST, Wycheproof and the RFCs. */
export const published = read<Published>('published.json')

export const hex = (text: string) => Buffer.from(text, 'hex')

/** What the database would hand out. */
export function storedOf({ form, stored }: Pick<CiphertextVector, 'form' | 'stored'>): string | Uint8Array {
  if (form === 'raw') return new Uint8Array(hex(stored))
  return form === 'json' ? (JSON.parse(stored) as string) : stored
}

export function plainOf({ kind, value, list }: Pick<CiphertextVector, 'kind' | 'value' | 'list'>): unknown {
  return list ? (value as unknown[]).map((element) => plain(kind, element)) : plain(kind, value)
}

function plain(kind: ValueKind, value: unknown): unknown {
  if (kind === 'Bytes') return new Uint8Array(hex(value as string))
  if (kind === 'BigInt') return BigInt(value as string)
  return kind === 'DateTime' ? new Date(value as string) : value
}

/** What `encodeField` and `decodeField` take; the stored form decides the column. */
export function formOf({ kind, list, form }: Pick<CiphertextVector, 'kind' | 'list' | 'form'>): ValueForm {
  return { kind, list, column: form === 'raw' ? 'Bytes' : form === 'json' ? 'Json' : 'String' }
}
