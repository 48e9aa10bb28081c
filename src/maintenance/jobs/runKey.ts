import { type KeyObject, timingSafeEqual } from 'node:crypto'
import { canonicalJson } from '../../crypto/canonicalJson.js'
import { hmacSha256 } from '../../crypto/hmac.js'
import { deriveWith } from '../../crypto/keys.js'

/** The key of a run, wrapped by the app's KMS, as it is kept beside the run. */
export interface StoredRunKey {
  /** A UUID of its own, which the KMS binds it to. */
  readonly id: string
  readonly wrapped: string
  readonly kekId: string
}

/** What is authenticated: none passes for another. */
export type Authenticated = 'progress' | 'order' | 'range' | 'problem'

/**
 * Authenticates what is stored of one run of maintenance, by HMAC-SHA-256: only who may use the app's KMS can write what
 * a worker or a command goes by.
 */
export class RunKey {
  readonly #key: KeyObject

  /** Takes over `bytes` and zeroes them. */
  constructor(
    readonly stored: StoredRunKey,
    bytes: Buffer,
  ) {
    try {
      this.#key = deriveWith(bytes, 'maintenance', () => undefined).key
    } finally {
      bytes.fill(0)
    }
  }

  /** As base64url. */
  mac(what: Authenticated, content: unknown): string {
    return this.#digest(what, content).toString('base64url')
  }

  isMac(mac: string | null | undefined, what: Authenticated, content: unknown): boolean {
    const [given, right] = [Buffer.from(mac ?? '', 'base64url'), this.#digest(what, content)]
    return given.length === right.length && timingSafeEqual(given, right)
  }

  #digest(what: Authenticated, content: unknown): Buffer {
    return hmacSha256(this.#key, canonicalJson({ run: this.stored.id, what, content }))
  }
}
