import { isDeepStrictEqual } from 'node:util'
import type { FindOperator, ValueTransformer } from 'typeorm'
import { looksEncrypted } from '../../crypto/ciphertext.js'
import { FieldsealError } from '../../errors.js'
import { isSealed, openSeal, Seal } from './seal.js'

/** Seals what is written and searched for, and takes no ciphertext for a value. */
export function sealingTransformer(): ValueTransformer {
  /**
   * TypeORM takes a value for changed unless it is the same by `===`, so equal ones in a row get one seal. It compares at
   * once; nothing is kept for longer.
   */
  let last: Seal | undefined
  const forget = () => {
    last = undefined
  }
  const sealed = (value: unknown): Seal => {
    // `queueMicrotask` would make a resource for asynchronous hooks of it.
    if (last === undefined) void Promise.resolve().then(forget)
    else if (isSame(openSeal(last), value)) return last
    last = new Seal(value)
    return last
  }
  const transformer: ValueTransformer = {
    to(value: unknown) {
      if (value === null || value === undefined || isSealed(value)) return value
      if (!isFindOperator(value)) return sealed(value)
      value.transformValue(transformer)
      return value
    },
    from(value: unknown) {
      if (looksEncrypted(value)) throw stillEncrypted()
      return value
    },
  }
  return transformer
}

/** Leaves values as they are. */
export function plainTransformer(): ValueTransformer {
  return { to: (value: unknown) => value, from: (value: unknown) => value }
}

function isSame(one: unknown, other: unknown): boolean {
  return typeof one === 'object' ? isDeepStrictEqual(one, other) : Object.is(one, other)
}

/** TypeORM 0.3 hands over the operator itself in some places: `And`, `Or`, and a QueryBuilder's `where({ … })`. */
function isFindOperator(value: unknown): value is FindOperator<unknown> {
  return OPERATORS.has((value as { '@instanceof'?: unknown })['@instanceof'])
}

/** By these TypeORM itself tells its classes, also those of another copy. */
const OPERATORS: ReadonlySet<unknown> = new Set(['FindOperator', 'EqualOperator'].map((name) => Symbol.for(name)))

function stillEncrypted(): FieldsealError {
  const message =
    'a ciphertext came where the value of an encrypted column was due: this query went past fieldEncryption; use a query ' +
    'runner, manager or repository of the data source'
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}
