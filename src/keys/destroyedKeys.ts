import { LRUCache } from 'lru-cache'
import type { FieldsealError } from '../errors.js'
import { keyError } from './keyError.js'
import type { StoredKey } from './keyStore.js'

/** How many ids are remembered; the one that was met longest ago goes first. */
const REMEMBERED = 10_000

/** The keys that this process has seen destroyed: for it they stay so, whatever their rows say later. */
export class DestroyedKeys {
  readonly #ids = new LRUCache<string, true>({ max: REMEMBERED })

  add(id: string): void {
    this.#ids.set(id, true)
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Whether a row's key is destroyed: by its state, by its time of destruction, or because it once was. */
  includes({ id, state, destroyedAt }: StoredKey): boolean {
    if (state === 'destroyed' || destroyedAt !== null) this.add(id)
    return this.has(id)
  }
}

/** Of a row that `includes` is true of. */
export function destroyedError({ id, state, destroyedAt }: StoredKey): FieldsealError {
  if (state === 'destroyed') return keyError('KEY_DESTROYED', id, 'was destroyed; what it encrypted is gone')
  const why = destroyedAt
    ? `has a time of destruction, yet is ${state} in its row: the row was changed. Compare it with a backup`
    : `was destroyed, and its row is ${state} again: if that is a restore which is meant to be, restart the process`
  return keyError('KEY_DESTROYED', id, why)
}
