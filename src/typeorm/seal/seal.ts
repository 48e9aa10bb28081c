import { FieldsealError } from '../../errors.js'

/** In the registry that all builds of this library and all realms of a process share. */
const OPEN = Symbol.for('fieldseal.openSeal')
const INSPECT = Symbol.for('nodejs.util.inspect.custom')
const SHOWN = '[sealed]'

let made = 0

function nextNumber(): number {
  made += 1
  return made
}

/**
 * A value of an encrypted column on its way to where statements are encrypted. Nobody else gets it out: what logs, prints
 * or serialises it sees `[sealed]`, and the driver that it reaches throws.
 */
export class Seal {
  readonly #value: unknown
  /** What TypeORM sees when it compares lists by the properties that objects have: without one, all seals are equal. */
  readonly number = nextNumber()

  constructor(value: unknown) {
    this.#value = value
  }

  [OPEN](): unknown {
    return this.#value
  }

  /** @throws FieldsealError always: `pg` asks for what to send */
  toPostgres(): never {
    throw new FieldsealError(
      'QUERY_UNSUPPORTED',
      'a value of an encrypted column came to the driver without being encrypted: this query went past fieldEncryption; ' +
        'use a query runner, manager or repository of the data source',
    )
  }

  toJSON(): string {
    return SHOWN
  }

  toString(): string {
    return SHOWN
  }

  [INSPECT](): string {
    return SHOWN
  }
}

/** Whether it is a seal, made by any build of this library, in any realm. */
export function isSealed(value: unknown): boolean {
  return typeof value === 'object' && value !== null && OPEN in value
}

/** The value in a seal; what is no seal is given back as it is. */
export function openSeal(value: unknown): unknown {
  return isSealed(value) ? (value as Seal)[OPEN]() : value
}
