import { type Ciphertext, headOf, kmsPart } from '../crypto/ciphertext.js'
import {
  directCiphertext,
  directContent,
  directDigest,
  directHeader,
  MOST_DIRECT_BYTES,
  openDirect,
} from '../crypto/direct.js'
import { FAILURE } from '../crypto/engine.js'
import { encodeField } from '../crypto/fieldValue.js'
import type { Header } from '../crypto/header.js'
import { FieldsealError } from '../errors.js'
import type { ValueIdentity, ValueKms } from '../keys/kms.js'
import { headerOf } from './headers.js'
import { outcomeError, plaintextValue } from './outcome.js'
import {
  type CipherField,
  checkedValue,
  type DecryptSlot,
  type EncryptSlot,
  fieldError,
  prefixErrors,
  twiceEncrypted,
} from './slot.js'

/** A value that the KMS is to encrypt. */
export class DirectSealing {
  readonly #slot: EncryptSlot
  readonly #header: Header
  readonly #plaintext: Buffer
  readonly #identity: ValueIdentity
  #text = ''

  /** @throws FieldsealError `VALUE_INVALID` */
  constructor(slot: EncryptSlot) {
    const { field } = slot
    const content = contentOf(slot)
    this.#slot = slot
    this.#header = directHeader(field.pad !== undefined)
    const { identity, digest } = identityOf(slot, slot.owner.tenant as string, this.#header)
    this.#plaintext = Buffer.concat([digest, content])
    this.#identity = identity
  }

  async ask(kms: ValueKms): Promise<void> {
    const { field } = this.#slot
    const text: unknown = await prefixErrors(field.name, kms.encrypt(this.#plaintext, this.#identity))
    if (!isText(text))
      throw fieldError('KMS_REFUSED', field, `got no text from the KMS "${kms.name}", so it was not written`)
    this.#text = text
  }

  putResult(): void {
    const { field, holder, key } = this.#slot
    const made = directCiphertext(this.#header, this.#text, field.column === 'Bytes' ? 'raw' : 'text')
    holder[key] = field.list ? [made] : made
  }
}

/** A ciphertext that the KMS is to decrypt, wherever it stands in one operation. */
export class DirectOpening {
  /** The same for the same ciphertext in the same place. */
  readonly name: string
  readonly #slot: DecryptSlot
  readonly #header: Header
  readonly #text: string
  readonly #identity: ValueIdentity
  readonly #digest: Buffer
  #plaintext: Buffer | undefined

  /** @throws FieldsealError `CIPHERTEXT_INVALID`, `TENANT_MISSING` */
  constructor(slot: DecryptSlot, header: Header) {
    const { field, owner, holder, key } = slot
    if (typeof owner.tenant !== 'string') throw tenantUnknown(field)
    const text = kmsPart(holder[key] as Ciphertext)
    if (text === null) throw outcomeError(field, FAILURE.torn)
    const { identity, digest } = identityOf(slot, owner.tenant, header)
    this.name = `${identity.aad} ${text}`
    this.#slot = slot
    this.#header = header
    this.#text = text
    this.#identity = identity
    this.#digest = digest
  }

  async ask(kms: ValueKms): Promise<void> {
    const { field } = this.#slot
    try {
      this.#plaintext = await prefixErrors(field.name, kms.decrypt(this.#text, this.#identity))
    } catch (error) {
      throw FieldsealError.is(error, 'KMS_REFUSED') ? outcomeError(field, FAILURE.forged, error) : error
    }
  }

  /** Each slot gets a value of its own. */
  putResult({ field, holder, key }: DecryptSlot): void {
    const outcome = openDirect(this.#plaintext!, this.#digest, this.#header)
    const value = plaintextValue(field, outcome)
    if (value === undefined) throw outcomeError(field, outcome)
    holder[key] = value
  }
}

/** What could be stored of anything else could not be decrypted. */
function isText(answer: unknown): answer is string {
  return typeof answer === 'string' && answer !== '' && answer.isWellFormed()
}

/** The value as the KMS is to encrypt it, without what ties it to its place. */
function contentOf({ field, holder, key, use }: EncryptSlot): Uint8Array {
  const value = holder[key]
  const head = headOf(Array.isArray(value) && value.length === 1 ? value[0] : value)
  if (head !== null && headerOf(head)) throw twiceEncrypted(field)
  const content = directContent(
    checkedValue(field, () => encodeField(field, value, use === 'kept'), use),
    field.pad,
  )
  if (content.length > MOST_DIRECT_BYTES) throw tooLong(field, content.length)
  return content
}

function identityOf({ field, bound }: EncryptSlot | DecryptSlot, tenant: string, header: Header) {
  const { context } = field
  const digest = directDigest(header, { tenant, context, bound })
  const identity: ValueIdentity = { aad: digest.toString('base64url'), field: context, tenant }
  return { digest, identity }
}

function tooLong(field: CipherField, bytes: number): FieldsealError {
  const padded = field.pad === undefined ? '' : ', padded'
  const what =
    `cannot be written: the value takes ${bytes} bytes${padded}, its type's byte included, and the KMS itself encrypts at ` +
    `most ${MOST_DIRECT_BYTES}: shorten it, or take \`mode: kms\` off the field`
  return fieldError('VALUE_INVALID', field, what)
}

function tenantUnknown(field: CipherField): FieldsealError {
  const what =
    'is encrypted by the KMS itself, whose ciphertext does not say for which tenant: read it by a client that is bound to one, ' +
    "or select the column that holds the row's tenant"
  return fieldError('TENANT_MISSING', field, what)
}
