import { aadOf, withBound } from './crypto/aad.js'
import { decrypt, encrypt, nonceSource } from './crypto/aead.js'
import { blindIndex } from './crypto/blindIndex.js'
import {
  type Ciphertext,
  headerOfHead,
  headOf,
  rawCiphertext,
  sealedPart,
  textCiphertext,
} from './crypto/ciphertext.js'
import { decode, encode, UnencodableValue, type ValueKind } from './crypto/codec.js'
import { encodeHeader, FLAG_PADDED, type Header } from './crypto/header.js'
import { type NormalizerName, normalize } from './crypto/normalize.js'
import { unpad } from './crypto/padding.js'
import { type ErrorCode, FieldsealError } from './errors.js'
import type { Dek } from './keys/dek.js'
import { ANY_TENANT, type KeyRing, type TenantScope } from './keys/keyRing.js'
import type { Purpose } from './keys/kms.js'
import { GLOBAL_TENANT } from './tenant.js'

/** An encrypted field, as far as values are concerned. */
export interface CipherField {
  /** `Model.field`, for messages. */
  readonly name: string
  /** The context in the AAD. */
  readonly context: string
  readonly kind: ValueKind
}

/** A blind index over an encrypted field. */
export interface CipherIndex {
  readonly normalize: readonly NormalizerName[]
  readonly bits: number
  /** The form in its column. */
  readonly column: 'String' | 'Bytes'
  readonly scope: 'tenant' | 'global'
}

/** Whose data an operation touches. Shared by its slots and filled in before they are transformed. */
export interface TenantHolder {
  tenant?: TenantScope
}

/** A value to transform: read from `holder[key]` and written back there. */
export type Slot = EncryptSlot | DecryptSlot | IndexSlot

interface SlotBase {
  readonly field: CipherField
  readonly owner: TenantHolder
  readonly holder: Record<string, unknown>
  readonly key: string
}

export interface EncryptSlot extends SlotBase {
  readonly mode: 'encrypt'
  /** The canonical texts of the bound columns, in order. */
  readonly bound: readonly string[]
}

export interface DecryptSlot extends SlotBase {
  readonly mode: 'decrypt'
  readonly bound: readonly string[]
}

export interface IndexSlot extends SlotBase {
  readonly mode: 'index'
  readonly index: CipherIndex
  /** The plaintext value; `holder[key]` is only written. */
  readonly value: unknown
}

/**
 * Transforms all slots of one pass: resolves every key they need with at most one wait, then works through them
 * without any. Returns nothing when all keys were in memory, so that a warm caller awaits nothing.
 *
 * @throws FieldsealError for the first slot that cannot be transformed exactly; the others may or may not be done
 */
export function transform(slots: readonly Slot[], ring: KeyRing): Promise<void> | undefined {
  if (slots.length === 0) return undefined
  const keys = new PassKeys(ring)
  for (const slot of slots) keys.need(slot)
  const pending = keys.resolve()
  if (pending) return pending.then(() => apply(slots, keys))
  apply(slots, keys)
  return undefined
}

function apply(slots: readonly Slot[], keys: PassKeys): void {
  const nonce = nonceSource(slots.length)
  for (const slot of slots) {
    switch (slot.mode) {
      case 'encrypt':
        slot.holder[slot.key] = encryptValue(slot, keys.active(slot), nonce())
        break
      case 'decrypt':
        slot.holder[slot.key] = decryptValue(slot, keys)
        break
      case 'index':
        slot.holder[slot.key] = indexValue(slot, keys.active(slot))
        break
    }
  }
}

function encryptValue({ field, holder, key, bound }: EncryptSlot, dek: Dek, nonce: Buffer): Ciphertext {
  const plaintext = encodeValue(field, holder[key])
  const sealed = encrypt(dek.key, withBound(dek.aad(field.context), bound), plaintext, nonce)
  return field.kind === 'Bytes' ? rawCiphertext(dek.header, sealed) : textCiphertext(dek.head, sealed)
}

function decryptValue(slot: DecryptSlot, keys: PassKeys): unknown {
  const { field, holder, key, bound } = slot
  const stored = holder[key] as Ciphertext
  const opener = keys.opener(slot, headOf(stored)!)
  const sealed = sealedPart(stored)
  if (!sealed) throw fieldError('CIPHERTEXT_INVALID', field, 'is torn: it is shorter or other than it was written')
  const opened = decrypt(opener.dek.key, withBound(opener.aad(field.context), bound), sealed)
  if (!opened) {
    const what = 'could not be decrypted: it was changed, or moved here from another field, row or tenant'
    throw fieldError('DECRYPTION_FAILED', field, what)
  }
  const plaintext = opener.padded ? unpad(opened) : opened
  const value = plaintext ? decode(field.kind, plaintext) : undefined
  if (value === undefined) {
    throw fieldError('CIPHERTEXT_INVALID', field, `holds a value that is not of its type, ${field.kind}`)
  }
  return value
}

function indexValue({ field, index, value }: IndexSlot, dek: Dek): string | Uint8Array {
  const plaintext =
    typeof value === 'string' ? encodeValue(field, normalize(value, index.normalize)) : encodeValue(field, value)
  const bytes = blindIndex(dek.key, field.context, plaintext, index.bits)
  return index.column === 'Bytes' ? new Uint8Array(bytes) : bytes.toString('base64url')
}

function encodeValue(field: CipherField, value: unknown): string | Buffer {
  try {
    return encode(field.kind, value)
  } catch (error) {
    if (!(error instanceof UnencodableValue)) throw error
    throw fieldError('VALUE_INVALID', field, `cannot be written: the value ${error.message}`)
  }
}

/** What opens all ciphertexts with one head. */
class Opener {
  readonly padded: boolean

  constructor(
    readonly dek: Dek,
    private readonly header: Header,
  ) {
    this.padded = (header.flags & FLAG_PADDED) !== 0
  }

  aad(context: string): Buffer {
    return this.header.flags === 0 ? this.dek.aad(context) : aadOf(encodeHeader(this.header), this.dek.tenant, context)
  }
}

/** The keys of one pass, so that no eviction in between can take one away. */
class PassKeys {
  readonly #ring: KeyRing
  readonly #actives = new Map<string, { tenant: string; purpose: Purpose; dek: Dek | undefined }>()
  readonly #openers = new Map<string, { header: Header; scope: TenantScope; opener: Opener | undefined }>()

  /** The last answer of `active`: consecutive slots mostly want the same. */
  #last: { owner: TenantHolder; mode: Slot['mode']; dek: Dek } | undefined

  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  need(slot: Slot): void {
    if (slot.mode === 'decrypt') this.#needHead(slot)
    else this.#needActive(slot)
  }

  #needActive(slot: EncryptSlot | IndexSlot): void {
    const { tenant, purpose } = activeOf(slot)
    const name = `${purpose} ${tenant}`
    if (!this.#actives.has(name)) {
      this.#actives.set(name, { tenant, purpose, dek: this.#ring.cachedActive(tenant, purpose) })
    }
  }

  #needHead(slot: DecryptSlot): void {
    const head = headOf(slot.holder[slot.key])
    if (head !== null && this.#openers.has(head)) return
    const header = head === null ? null : headerOfHead(head)
    if (head === null || !header) {
      throw fieldError('CIPHERTEXT_INVALID', slot.field, 'holds something that is not a ciphertext of this library')
    }
    const dek = this.#ring.cached(header.dekId)
    const opener = dek && new Opener(dek, header)
    this.#openers.set(head, { header, scope: slot.owner.tenant!, opener })
  }

  /** Gets the keys that are not in memory, all at once. */
  resolve(): Promise<void> | undefined {
    const actives = [...this.#actives.values()].filter(({ dek }) => !dek)
    const heads = [...this.#openers.values()].filter(({ opener }) => !opener)
    if (actives.length === 0 && heads.length === 0) return undefined
    return Promise.all([this.#resolveActives(actives), this.#resolveHeads(heads)]).then(() => undefined)
  }

  async #resolveActives(missing: { tenant: string; purpose: Purpose; dek: Dek | undefined }[]): Promise<void> {
    await Promise.all(
      missing.map(async (entry) => {
        entry.dek = await this.#ring.active(entry.tenant, entry.purpose)
      }),
    )
  }

  async #resolveHeads(missing: { header: Header; scope: TenantScope; opener: Opener | undefined }[]): Promise<void> {
    const scope = missing[0]?.scope
    if (scope === undefined) return
    const deks = await this.#ring.load([...new Set(missing.map(({ header }) => header.dekId))], scope)
    const byId = new Map(deks.map((dek) => [dek.id, dek]))
    for (const entry of missing) entry.opener = new Opener(byId.get(entry.header.dekId)!, entry.header)
  }

  active(slot: EncryptSlot | IndexSlot): Dek {
    const last = this.#last
    if (last && last.owner === slot.owner && last.mode === slot.mode && slot.mode === 'encrypt') return last.dek
    const { tenant, purpose } = activeOf(slot)
    const dek = this.#actives.get(`${purpose} ${tenant}`)!.dek!
    this.#last = { owner: slot.owner, mode: slot.mode, dek }
    return dek
  }

  opener(slot: DecryptSlot, head: string): Opener {
    const { opener } = this.#openers.get(head)!
    const { dek } = opener!
    const scope = slot.owner.tenant!
    if (scope !== ANY_TENANT && dek.tenant !== scope) {
      const message = `${slot.field.name} is encrypted for another tenant than "${scope}": filter by tenant in your query`
      throw new FieldsealError('TENANT_MISMATCH', message)
    }
    return opener!
  }
}

function activeOf(slot: EncryptSlot | IndexSlot): { tenant: string; purpose: Purpose } {
  if (slot.mode === 'index' && slot.index.scope === 'global') return { tenant: GLOBAL_TENANT, purpose: 'index' }
  return { tenant: slot.owner.tenant as string, purpose: slot.mode === 'index' ? 'index' : 'encrypt' }
}

function fieldError(code: ErrorCode, field: CipherField, what: string): FieldsealError {
  return new FieldsealError(code, `${field.name} ${what}`)
}
