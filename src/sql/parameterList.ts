import type { Slot } from '../cipher/cipher.js'

/** A holder of the cipher's, and which parameter its value is. */
export interface Made {
  value: unknown
  readonly position: number
  /** Allows it to be the `holder` of a slot. */
  [key: string]: unknown
}

/** The parameters of a statement as they are sent, and what the cipher has to make of them before. */
export class ParameterList {
  readonly values: unknown[] = []
  slots: Slot[] = []
  #made: Made[] = []

  /** @returns its number, from 1 on */
  put(value: unknown): number {
    return this.values.push(value)
  }

  /** Where the cipher puts the next value, whose number is that of the last one then. */
  putMade(value: unknown): Made {
    const made: Made = { value, position: this.values.length }
    this.#made.push(made)
    this.values.push(undefined)
    return made
  }

  /** Takes over what was made of the slots so far, and lets go of them. */
  takeMade(): void {
    for (const { position, value } of this.#made) this.values[position] = value
    this.#made = []
    this.slots = []
  }

  /** All of them, when the slots are transformed. */
  finish(): unknown[] {
    this.takeMade()
    return this.values
  }
}
