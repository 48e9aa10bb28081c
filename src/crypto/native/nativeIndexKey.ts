import type { KeyObject } from 'node:crypto'
import type { IndexKey } from '../engine.js'
import { nodeEngine } from '../nodeEngine.js'
import type { Addon, AddonKey } from './addon.js'
import { inParts, orFallback } from './addonCall.js'
import { ADDON_FRAME } from './addonFrame.js'
import { type Text, textInput } from './addonInput.js'

/** The addon's key of blind indexes. */
export class NativeIndexKey implements IndexKey {
  readonly #addon: Addon
  readonly #key: AddonKey<'index'>
  readonly #fallback: IndexKey

  constructor(addon: Addon, key: KeyObject, bytes: Uint8Array) {
    this.#addon = addon
    this.#key = addon.openIndex(bytes)
    this.#fallback = nodeEngine.openIndex(key, bytes)
  }

  index(prefix: Buffer, messages: readonly Text[], size: number): Buffer[] {
    return inParts(
      messages,
      messages,
      slice,
      (part) => orFallback(part, () => this.#index(prefix, part, size)) ?? this.#fallback.index(prefix, part, size),
    )
  }

  #index(prefix: Buffer, messages: readonly Text[], size: number): Buffer[] {
    const { input, encoding } = textInput(messages)
    const out = Buffer.allocUnsafe(size * messages.length)
    this.#addon.index(this.#key, ADDON_FRAME, messages.length, prefix, input, encoding, size, out)
    return messages.map((_, i) => out.subarray(i * size, (i + 1) * size))
  }
}

function slice<T>(values: readonly T[], from: number, to: number): readonly T[] {
  return values.slice(from, to)
}
