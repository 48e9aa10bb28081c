/** Types of decryptor.mjs, which is plain JavaScript so that it runs anywhere. */
export interface ParsedCiphertext {
  readonly header: Buffer
  readonly padded: boolean
  readonly dekId: string
  readonly nonce: Buffer
  readonly encrypted: Buffer
  readonly tag: Buffer
}

export interface DecryptInput {
  readonly dek: Uint8Array
  readonly tenant: string
  readonly context: string
  readonly bound?: readonly string[]
  readonly stored: string | Uint8Array
}

export type Decrypted =
  | { readonly kind: 'String'; readonly value: string }
  | { readonly kind: 'Bytes'; readonly value: Buffer }
  | { readonly kind: 'Json'; readonly value: unknown }
  | { readonly kind: 'Int' | 'Float'; readonly value: number }
  | { readonly kind: 'BigInt'; readonly value: bigint }
  | { readonly kind: 'Decimal'; readonly value: string }
  | { readonly kind: 'Boolean'; readonly value: boolean }
  | { readonly kind: 'DateTime'; readonly value: Date }
  | { readonly kind: 'List'; readonly value: readonly unknown[] }

/** Of a value that the KMS itself encrypted. */
export type KmsPlace = Omit<DecryptInput, 'dek'>

export function parse(stored: string | Uint8Array): ParsedCiphertext
export function requestOf(input: KmsPlace): { readonly blob: string; readonly encryptionContext: string }
export function openOfKms(input: KmsPlace & { readonly plaintext: Uint8Array }): Decrypted
export function decrypt(input: DecryptInput): Decrypted

/** A row of the keys table, as far as it opens a DEK. */
export interface KeyRow {
  readonly id: string
  readonly tenant: string
  readonly purpose: string
  readonly state?: string
  readonly kekId: string
  readonly wrapped: string | null
}

export interface Keys {
  readonly keks: readonly Uint8Array[]
  readonly intermediate: (id: string) => KeyRow
}

export interface IndexInput {
  readonly dek: Uint8Array
  readonly values: readonly { readonly kind: string; readonly context: string; readonly value: unknown }[]
  readonly bits?: number
  readonly normalize?: readonly string[]
  readonly own?: { readonly [name: string]: (text: string) => string }
}

export function openDek(row: KeyRow, keys: Keys): Buffer
export function blindIndex(input: IndexInput): Buffer

export function tokens(input: {
  dek: Buffer
  context: string
  parameters: { readonly [name: string]: unknown }
  value: string | bigint
  own?: Record<string, (text: string) => string>
}): string[]
