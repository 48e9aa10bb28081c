import { setTimeout } from 'node:timers/promises'
import { bulkhead } from 'cockatiel'
import type { Header } from '../crypto/header.js'
import { type ErrorCode, FieldsealError } from '../errors.js'
import type { ValueKms } from '../keys/kms.js'
import { withRetryListener } from '../keys/retries.js'
import { DirectOpening, DirectSealing } from './directValue.js'
import type { DecryptSlot, EncryptSlot } from './slot.js'

/** Values of one pass that are sent at once, where the KMS says nothing else. */
const CONCURRENCY = 20

/** After a KMS has refused a call for its rate, which it counts by the second, no other one is begun for so long. */
const PAUSE = 1_000

/** The values of one pass that the KMS itself encrypts or decrypts: a call for each, but one for those that are the same. */
export class DirectValues {
  readonly #sealings = new Map<number, DirectSealing>()
  readonly #openings = new Map<number, DirectOpening>()
  readonly #distinct = new Map<string, DirectOpening>()
  #stopped = false
  #pausedUntil = 0
  #answers = 0

  /** @throws FieldsealError `VALUE_INVALID` for a value that cannot be written, or is too long for the KMS */
  seal(slot: EncryptSlot, position: number): void {
    this.#sealings.set(position, new DirectSealing(slot))
  }

  /** @throws FieldsealError `CIPHERTEXT_INVALID`, `TENANT_MISSING` */
  open(slot: DecryptSlot, position: number, header: Header): void {
    const opening = new DirectOpening(slot, header)
    const same = this.#distinct.get(opening.name)
    if (!same) this.#distinct.set(opening.name, opening)
    this.#openings.set(position, same ?? opening)
  }

  /**
   * Asks the KMS for all of them, so many at once as it says. After a failure nothing more is begun.
   *
   * @throws FieldsealError the first failure in the order of the pass, as far as there are answers
   */
  async resolve(kms: ValueKms): Promise<void> {
    const limit = bulkhead(kms.concurrency ?? CONCURRENCY, Number.POSITIVE_INFINITY)
    const asked = [...this.#sealings.values(), ...this.#distinct.values()]
    const outcomes = await Promise.allSettled(asked.map((one) => limit.execute(() => this.#ask(one, kms))))
    const failed = outcomes.find(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
  }

  /**
   * As long as the KMS answers other calls of the pass, one that it refuses for its rate is only early.
   *
   * @param before answers of the pass when this call was refused last
   */
  async #ask(one: DirectSealing | DirectOpening, kms: ValueKms, before = 0): Promise<void> {
    for (let wait = this.#wait; wait > 0; wait = this.#wait) await setTimeout(wait)
    if (this.#stopped) return
    try {
      await withRetryListener(
        ({ code }) => this.#slowDown(code),
        () => one.ask(kms),
      )
      this.#answers += 1
    } catch (error) {
      this.#stopped ||= !FieldsealError.is(error, 'KMS_THROTTLED') || this.#answers === before
      if (this.#stopped) throw error
      this.#slowDown('KMS_THROTTLED')
      await this.#ask(one, kms, this.#answers)
    }
  }

  /** Calls that are tried again must not lose against new ones. */
  #slowDown(code: ErrorCode): void {
    if (code === 'KMS_THROTTLED') this.#pausedUntil = performance.now() + PAUSE
  }

  get #wait(): number {
    return this.#stopped ? 0 : this.#pausedUntil - performance.now()
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopped = true
  }

  /** Puts what became of a slot into its place; `false` for a slot that is none of these. */
  putResult(slot: EncryptSlot | DecryptSlot, position: number): boolean {
    const work = slot.mode === 'encrypt' ? this.#sealings.get(position) : this.#openings.get(position)
    if (!work) return false
    work.putResult(slot as DecryptSlot)
    return true
  }
}
