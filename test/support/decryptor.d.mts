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
