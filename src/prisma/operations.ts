/** What the parts of an operation's arguments mean. Operations differ in nothing else. */
export interface OperationRoles {
  /** Arguments that hold data, and how it is written. */
  readonly data?: { readonly [argument: string]: 'create' | 'createMany' | 'update' | 'updateMany' }
  /** `where` names one row by a unique selector. */
  readonly unique?: boolean
  /** The result is rows of the model, whose shape `select`, `include` and `omit` say. */
  readonly rows?: boolean
  /** It reads as many rows as `where` finds, and does nothing to them. */
  readonly many?: boolean
  /** It changes rows that are there already, and returns them: their keys must be at hand before the SQL. */
  readonly changesRows?: boolean
  /** The arguments aggregate: `by`, `having`, `_min` … */
  readonly aggregates?: boolean
}

/** Every operation of a Prisma 7 model delegate on SQL databases. */
export const OPERATIONS: { readonly [operation: string]: OperationRoles } = {
  findUnique: { unique: true, rows: true },
  findUniqueOrThrow: { unique: true, rows: true },
  findFirst: { rows: true },
  findFirstOrThrow: { rows: true },
  findMany: { rows: true, many: true },
  create: { data: { data: 'create' }, rows: true },
  createMany: { data: { data: 'createMany' } },
  createManyAndReturn: { data: { data: 'createMany' }, rows: true },
  update: { data: { data: 'update' }, unique: true, rows: true, changesRows: true },
  updateMany: { data: { data: 'updateMany' } },
  updateManyAndReturn: { data: { data: 'updateMany' }, rows: true, changesRows: true },
  upsert: { data: { create: 'create', update: 'update' }, unique: true, rows: true, changesRows: true },
  delete: { unique: true, rows: true, changesRows: true },
  deleteMany: {},
  count: { aggregates: true },
  aggregate: { aggregates: true },
  groupBy: { aggregates: true },
}
