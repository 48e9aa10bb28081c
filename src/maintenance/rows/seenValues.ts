/** Bytes of a value that are kept: as many as a number holds exactly. */
const KEPT = 6
const FIRST_SIZE = 1 << 16

/**
 * Which blind indexes were met before, in 16 bytes of memory for each. Of two that differ it takes one for the other about
 * once in ten million of ten million, so what it says is to be looked at again.
 */
export class SeenValues {
  /** Open addressing; 0 is free. */
  #places = new Float64Array(FIRST_SIZE)
  #count = 0

  /** @returns whether it was there */
  add(value: Uint8Array): boolean {
    const number = Buffer.from(value.buffer, value.byteOffset, value.byteLength).readUIntBE(0, KEPT) + 1
    const place = this.#placeOf(number)
    if (this.#places[place] === number) return true
    this.#places[place] = number
    this.#count += 1
    if (this.#count * 2 > this.#places.length) this.#grow()
    return false
  }

  #placeOf(number: number): number {
    const size = this.#places.length
    let place = number % size
    while (this.#places[place] !== 0 && this.#places[place] !== number) place = (place + 1) % size
    return place
  }

  #grow(): void {
    const before = this.#places
    this.#places = new Float64Array(before.length * 2)
    for (const number of before) if (number !== 0) this.#places[this.#placeOf(number)] = number
  }
}
