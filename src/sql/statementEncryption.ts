import type { BindingSource } from '../client/clientBinding.js'
import type { ClientContext } from '../client/clientContext.js'
import { OperationTenancy } from '../client/operationTenancy.js'
import type { Catalog } from './catalog.js'
import { type Seals, sealedElsewhere } from './givenValues.js'
import { type InsertShape, insertShape } from './insertShape.js'
import { isSensitive, Preparation } from './preparation.js'
import { readUntouched } from './results.js'
import type { EncryptedStatement, Statement } from './statement.js'
import { StatementPlans } from './statementPlans.js'

export { loadParser } from './parser.js'

export type { EncryptedStatement, Statement } from './statement.js'

export interface StatementEncryptionOptions extends Seals {
  readonly context: ClientContext
  readonly catalog: Catalog
}

/** Encrypts the statements of the clients of one PostgreSQL database. */
export class StatementEncryption {
  readonly #options: StatementEncryptionOptions
  /** By whether rows of all tenants may be read. */
  #plans: { readonly one: StatementPlans; readonly all: StatementPlans }

  constructor(options: StatementEncryptionOptions) {
    this.#options = options
    this.#plans = plansBy(options.catalog)
  }

  /** Has statements analysed by another catalog from now on, of the same database. */
  use(catalog: Catalog): void {
    this.#plans = plansBy(catalog)
  }

  /**
   * Whether values of encrypted columns are in a statement.
   *
   * @throws FieldsealError `QUERY_UNSUPPORTED` for one that has no right answer
   */
  isSensitive(text: string): boolean {
    const plan = this.#plans.one.of(text)
    return plan !== undefined && isSensitive(plan)
  }

  /**
   * Analyses a statement, encrypts what it writes and searches for, and says how to read its results: at once where
   * nothing has to be waited for.
   *
   * @param binding of the client that sends it
   * @throws FieldsealError `QUERY_UNSUPPORTED` and whatever else is wrong with it, before any SQL
   */
  prepare(binding: BindingSource, statement: Statement): EncryptedStatement | Promise<EncryptedStatement> {
    const shape = insertShape(statement.text)
    return shape
      ? shape.then((found) => this.#prepare(binding, statement, found))
      : this.#prepare(binding, statement, undefined)
  }

  #prepare(
    binding: BindingSource,
    statement: Statement,
    shape: InsertShape | undefined,
  ): EncryptedStatement | Promise<EncryptedStatement> {
    const { context, isSealed } = this.#options
    const { text, values } = statement
    const tenancy = new OperationTenancy(binding.current(), context.tenancy)
    const plan = (tenancy.readsAcross ? this.#plans.all : this.#plans.one).of(shape?.text ?? text)
    if (plan) return new Preparation(this.#options, { binding, tenancy, plan, shape, statement }).run()
    if (values?.some(isSealed)) throw sealedElsewhere()
    return { text, values, isSensitive: false, read: readUntouched }
  }
}

function plansBy(catalog: Catalog) {
  return {
    one: new StatementPlans({ catalog, across: false }),
    all: new StatementPlans({ catalog, across: true }),
  }
}
