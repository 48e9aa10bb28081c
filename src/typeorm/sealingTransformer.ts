import { isDeepStrictEqual } from 'node:util'
import type { FindOperator, ValueTransformer } from 'typeorm'
import { looksEncrypted } from '../crypto/ciphertext.js'
import { FieldsealError } from '../errors.js'
import { isSealed, openSeal, Seal } from './seal.js'

/** Seals what is written and searched for, and takes no ciphertext for a value. */
export function sealingTransformer(): ValueTransformer {
  /** TypeORM takes a value for changed unless it is the same by `===`, so equal ones in a row get one seal. */
  let last: WeakRef<Seal> | undefined
  const sealed = (value: unknown): Seal => {
    const before = last?.deref()
    if (before !== undefined && isDeepStrictEqual(openSeal(before), value)) return before
    const seal = new Seal(value)
    last = new WeakRef(seal)
    return seal
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

/** What TypeORM's operators call themselves; `Equal` has a name of its own. */
const OPERATORS: readonly unknown[] = [Symbol.for('FindOperator'), Symbol.for('EqualOperator')]

/** TypeORM 0.3 hands over the operator itself in some places: `And`, `Or`, and a QueryBuilder's `where({ … })`. */
function isFindOperator(value: unknown): value is FindOperator<unknown> {
  return OPERATORS.includes((value as { '@instanceof'?: unknown })['@instanceof'])
}

function stillEncrypted(): FieldsealError {
  const message =
    'a ciphertext came where the value of an encrypted column was due: this query went past fieldEncryption; use a query ' +
    'runner, manager or repository of the data source'
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}
