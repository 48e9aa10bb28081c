import { randomBytes } from 'node:crypto'
import type { DekIdentity, Kms } from '../../src/keys/kms.js'
import { localKms } from '../../src/kms/localKms.js'

/** A real `Kms` and what a test wants to know of its use. */
export interface WatchedKms extends Kms {
  readonly calls: { generate: number; unwrap: number }
  /** Whose DEKs were unwrapped. */
  readonly unwrapped: DekIdentity[]
  /** The very buffers that were handed out, and copies from before they were zeroed. */
  readonly given: Buffer[]
  readonly copies: Buffer[]
  /** Every call fails with it, until it is cleared. */
  error: Error | undefined
}

export function watchedKms(kms: Kms = localKms({ key: randomBytes(32).toString('base64') })): WatchedKms {
  const watch = (dek: Buffer): Buffer => {
    watched.given.push(dek)
    watched.copies.push(Buffer.from(dek))
    return dek
  }
  const call = (name: 'generate' | 'unwrap'): void => {
    watched.calls[name] += 1
    if (watched.error) throw watched.error
  }
  const watched: WatchedKms = {
    name: kms.name,
    calls: { generate: 0, unwrap: 0 },
    unwrapped: [],
    given: [],
    copies: [],
    error: undefined,
    generate: async (identity) => {
      call('generate')
      const generated = await kms.generate(identity)
      watch(generated.dek)
      return generated
    },
    unwrap: async (wrapped, identity) => {
      watched.unwrapped.push(identity)
      call('unwrap')
      return watch(await kms.unwrap(wrapped, identity))
    },
  }
  return watched
}
