/** The negations around a condition, of NOT and of relation filters. */
export interface Negation {
  /** What is not true of a row is asked for, so that "false" and "unknown" are told apart. */
  readonly negated: boolean
  /** There is an odd number of them. */
  readonly isNegative: boolean
  /**
   * The condition is asked of a row that a negated one refers to. Whether "unknown" is negated there or means that there is
   * no such row depends on how Prisma writes the operation: as a join or as a query of its own.
   */
  readonly isAmbiguous: boolean
}

/** What is around a whole filter. */
export const NO_NEGATION: Negation = { negated: false, isNegative: false, isAmbiguous: false }

/** Inside of a NOT. */
export function negated({ isNegative, isAmbiguous }: Negation): Negation {
  return { negated: true, isNegative: !isNegative, isAmbiguous }
}

export const RELATION_FILTERS = ['is', 'isNot', 'some', 'every', 'none'] as const

/**
 * Inside of a relation filter. Rows of a list are there or not, however many negations are around: those that `some` and
 * `none` ask for, and those that `every` asks not to be there.
 */
export function throughRelation(around: Negation, filter: (typeof RELATION_FILTERS)[number]): Negation {
  const { negated, isNegative } = around
  switch (filter) {
    case 'some':
    case 'none':
      return NO_NEGATION
    case 'every':
      return { negated: true, isNegative: true, isAmbiguous: false }
    case 'is':
      return { negated, isNegative, isAmbiguous: around.isAmbiguous || negated }
    case 'isNot':
      return { negated: true, isNegative: !isNegative, isAmbiguous: true }
  }
}
