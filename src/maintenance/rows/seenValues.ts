/** Bytes of a value that are kept: as many as a number holds exactly. */
const KEPT = 6
const FIRST_SIZE = 1 << 16

/**
 * Which blind indexes were met before, in 16 bytes of memory for each. Of two that differ it takes one for the other about
 * once in ten million of ten million, so what it says is to be looked at again.
 */
export class SeenValues {
  /** Open addressing; 0 is free. */
  #slots = new Float64Array(FIRST_SIZE)
  #count = 0

  /** @returns whether it was there */
  add(value: Uint8Array): boolean {
    const number = Buffer.from(value.buffer, value.byteOffset, value.byteLength).readUIntBE(0, KEPT) + 1
    const slot = this.#slotOf(number)
    if (this.#slots[slot] === number) return true
    this.#slots[slot] = number
    this.#count += 1
    if (this.#count * 2 > this.#slots.length) this.#grow()
    return false
  }

  #slotOf(number: number): number {
    const size = this.#slots.length
    let slot = number % size
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== number) slot = (slot + 1) % size
    return slot
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Float64Array(before.length * 2)
    for (const number of before) if (number !== 0) this.#slots[this.#slotOf(number)] = number
  }
}
