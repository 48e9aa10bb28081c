import type { ActiveKeys, Allotment } from '../keys/activeKeys.js'
import type { Dek } from '../keys/dek.js'
import type { Purpose } from '../keys/kms.js'
import type { CipherField } from './slot.js'

/** A key that the pass needs, for so many values; `field` is the first that asked for it, for messages. */
export class ActiveKeyRequest {
  count = 0
  #allotments: readonly Allotment[] | undefined
  #next = 0
  #drawn = 0

  constructor(
    readonly field: CipherField,
    readonly tenant: string,
    readonly purpose: Purpose,
  ) {}

  /** Takes the keys from memory, if it has them. */
  takeCached(active: ActiveKeys): boolean {
    this.#allotments ??= this.purpose === 'encrypt' ? active.take(this.tenant, this.count) : this.#cachedIndex(active)
    return this.#allotments !== undefined
  }

  get isTaken(): boolean {
    return this.#allotments !== undefined
  }

  #cachedIndex(active: ActiveKeys): readonly Allotment[] | undefined {
    const dek = active.cached(this.tenant, 'index')
    return dek && [{ dek, count: this.count }]
  }

  async resolve(active: ActiveKeys): Promise<void> {
    this.#allotments =
      this.purpose === 'encrypt'
        ? await active.allot(this.tenant, this.count)
        : [{ dek: await active.get(this.tenant, 'index'), count: this.count }]
  }

  /** The DEK for the next value: each value draws once, so that no DEK encrypts more than it was allotted. */
  draw(): Dek {
    const allotment = this.#allotments![this.#next]!
    this.#drawn += 1
    if (this.#drawn === allotment.count) {
      this.#next += 1
      this.#drawn = 0
    }
    return allotment.dek
  }
}
