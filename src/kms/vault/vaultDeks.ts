import { DEK_BYTES } from '../../crypto/keys.js'
import { decodeKey } from '../../crypto/strictDecode.js'
import { FieldsealError, quoted } from '../../errors.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import type { DekIdentity, GeneratedDek, WrappedDek } from '../../keys/kms.js'
import type { KekIds } from '../call/kekIds.js'
import type { Target } from '../call/kmsCall.js'
import { callRefused, readCiphertext, type Transit, type TransitResult, type VaultTarget } from './transit.js'
import type { Begin, Ready } from './transitKeys.js'
import { readTransitText, type TransitText } from './transitText.js'

interface DekOptions {
  readonly transit: Transit
  readonly kekIds: KekIds
  readonly ready: Ready
  readonly begin: Begin
}

/** DEKs that transit makes, wraps and unwraps. */
export class VaultDeks {
  readonly #transit: Transit
  readonly #kekIds: KekIds
  readonly #ready: Ready
  readonly #begin: Begin

  constructor({ transit, kekIds, ready, begin }: DekOptions) {
    this.#transit = transit
    this.#kekIds = kekIds
    this.#ready = ready
    this.#begin = begin
  }

  async generate(identity: DekIdentity): Promise<GeneratedDek> {
    const context = contextOf(identity)
    const target = await this.#current(identity, this.#begin('datakey/plaintext', identity.tenant))
    const answer = await this.#transit.dataKey(target, context)
    const { text: wrapped } = readCiphertext(answer, target, DEK_BYTES)
    return { dek: readDek(answer, target), wrapped, kekId: target.keyId }
  }

  async unwrap(wrapped: WrappedDek, identity: DekIdentity): Promise<Buffer> {
    const context = contextOf(identity)
    return this.#open(wrapped, context, await this.#own(wrapped, identity, this.#begin('decrypt', identity.tenant)))
  }

  async wrap(dek: Buffer, identity: DekIdentity): Promise<WrappedDek> {
    const context = contextOf(identity)
    return this.#wrap(dek, context, await this.#current(identity, this.#begin('encrypt', identity.tenant)))
  }

  /** Vault rewraps under the same key only, so on its way to another one the DEK comes here. */
  async rewrap(wrapped: WrappedDek, identity: DekIdentity): Promise<WrappedDek> {
    const context = contextOf(identity)
    const begun = this.#begin('rewrap', identity.tenant)
    const target = await this.#own(wrapped, identity, begun)
    const destination = await this.#current(identity, { ...begun, action: 'encrypt' })
    if (destination.keyId === wrapped.kekId) return this.#renew(wrapped, context, target)
    const dek = await this.#open(wrapped, context, { ...target, action: 'decrypt' })
    return this.#wrap(dek, context, destination).finally(() => dek.fill(0))
  }

  async #open(wrapped: WrappedDek, context: string, target: VaultTarget): Promise<Buffer> {
    const item = { context, ciphertext: textOf(wrapped, target).text }
    return readDek(await this.#transit.ask('decrypt', target, item), target)
  }

  async #wrap(dek: Buffer, context: string, target: VaultTarget): Promise<WrappedDek> {
    const item = { context, plaintext: dek.toString('base64') }
    const { text } = readCiphertext(await this.#transit.ask('encrypt', target, item), target, DEK_BYTES)
    return { wrapped: text, kekId: target.keyId }
  }

  async #renew(wrapped: WrappedDek, context: string, target: VaultTarget): Promise<WrappedDek> {
    const given = textOf(wrapped, target)
    const answer = await this.#transit.ask('rewrap', target, { context, ciphertext: given.text })
    const newest = readCiphertext(answer, target, DEK_BYTES)
    return newest.version > given.version ? { wrapped: newest.text, kekId: wrapped.kekId } : wrapped
  }

  /** With the KEK of the tenant. */
  async #current({ tenant }: DekIdentity, begun: VaultTarget): Promise<VaultTarget> {
    return { ...begun, keyId: await this.#ready(begun, () => this.#kekIds.current(tenant)) }
  }

  /** With the KEK that a row names, if it is one of the tenant's. */
  async #own(wrapped: WrappedDek, identity: DekIdentity, begun: VaultTarget): Promise<VaultTarget> {
    const keyId = await this.#ready(begun, async () => {
      await this.#kekIds.expectOwn(wrapped, identity)
      return wrapped.kekId
    })
    return { ...begun, keyId }
  }
}

function contextOf(identity: DekIdentity): string {
  return Buffer.from(encryptionContext(identity)).toString('base64')
}

/**
 * Vault takes more than it gives: what it did not give is refused here, before it is in one request with the keys of
 * others, which a text of megabytes would take down with it.
 */
function textOf({ wrapped, kekId }: WrappedDek, { action }: Target): TransitText {
  const text = readTransitText(wrapped)
  if (text?.length === DEK_BYTES) return text
  throw new FieldsealError(
    'KMS_REFUSED',
    `Vault, ${action} with key ${quoted(kekId)}: the wrapped DEK is not vault:v<version>:<base64> with the length of ` +
      '32 bytes. Compare its row of the keys table with a backup.',
  )
}

function readDek({ plaintext }: TransitResult, target: Target): Buffer {
  const dek = decodeKey(plaintext, 'base64')
  if (dek?.length === DEK_BYTES) return dek
  dek?.fill(0)
  throw callRefused(target, `does not hold a DEK of ${DEK_BYTES} bytes`)
}
