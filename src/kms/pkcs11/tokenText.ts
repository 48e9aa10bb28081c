import type { WrappedDek } from '../../keys/kms.js'
import { authenticDecrypt } from './authenticDecrypt.js'
import { gcmEncrypt, type IvSource } from './gcm.js'
import type { Kek } from './kek.js'
import type { Pkcs11Module } from './pkcs11Module.js'
import type { PooledSession } from './sessionPool.js'
import { TextRefused } from './textRefused.js'
import { readWrapped, TAG_BYTES, writeWrapped } from './wrappedText.js'

/** How a text is told from others, and what it is bound to. */
export interface TextForm {
  /** At its beginning. */
  readonly prefix: string
  readonly aad: Buffer
  /** Bytes that may be in it. */
  readonly bytes: { readonly least: number; readonly most: number }
}

/** Texts that KEKs in the token encrypt and decrypt. */
export class TokenText {
  readonly #module: Pkcs11Module
  readonly #iv: IvSource

  constructor({ module, iv }: { readonly module: Pkcs11Module; readonly iv: IvSource }) {
    this.#module = module
    this.#iv = iv
  }

  /** Leaves `plaintext` as it is. */
  async seal({ session }: PooledSession, kek: Kek, form: TextForm, plaintext: Buffer): Promise<WrappedDek> {
    const { prefix, aad, bytes } = form
    if (!fits(plaintext.length, bytes)) throw new TextRefused(`${plaintext.length} bytes, which it is not for`)
    kek.count.add()
    const message = await gcmEncrypt({ module: this.#module, session, key: kek.key }, plaintext, aad, this.#iv)
    return { wrapped: writeWrapped(prefix, message), kekId: kek.kekId }
  }

  /**
   * The bytes in memory of their own, to be zeroed by the caller.
   *
   * @throws TextRefused for a text that was not made like this; fails as the module does
   */
  async open({ session }: PooledSession, kek: Kek, { prefix, aad, bytes }: TextForm, text: string): Promise<Buffer> {
    const message = readWrapped(prefix, text)
    const length = message ? message.sealed.length - TAG_BYTES : 0
    if (!message || !fits(length, bytes)) throw new TextRefused('not a text of pkcs11Kms')
    const object = { module: this.#module, session, key: kek.key }
    const opened = await authenticDecrypt(object, { message, aad, known: kek.known })
    if (opened.length === length) return opened
    opened.fill(0)
    throw new TextRefused('an answer of another length')
  }
}

function fits(length: number, { least, most }: TextForm['bytes']): boolean {
  return length >= least && length <= most
}
