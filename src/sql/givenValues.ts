import type { TenantHolder } from '../cipher/cipher.js'
import { boundTexts, type KnownValues, sameBound } from '../client/boundColumns.js'
import type { OperationTenancy } from '../client/operationTenancy.js'
import type { FieldPlan, ModelPlan } from '../plan/plan.js'
import { knownValue } from './knownValues.js'
import { unsupported } from './refusals.js'
import type { StatementRow, UnchangedColumn, ValueSource } from './statementPlan.js'

/** How values of the ORM's are told from what they stand for. */
export interface Seals {
  /** The value in a seal of the ORM's, or what is given if it is none. */
  readonly open: (value: unknown) => unknown
  readonly isSealed: (value: unknown) => boolean
}

export interface GivenOptions extends Seals {
  readonly tenancy: OperationTenancy
  /** What the statement was given. */
  readonly given: readonly unknown[]
}

/** What a statement was given, and what that says of the rows that it names: whose they are, and what they are bound to. */
export class GivenValues {
  readonly #options: GivenOptions
  #owners: Map<StatementRow, TenantHolder> | undefined
  /** The numbers that the parameters of the row have which is being written, where its plan has others. */
  #translate = unchanged

  constructor(options: GivenOptions) {
    this.#options = options
  }

  /** Whose the rows are that a statement names, before anything is made of its values. */
  claim(rows: readonly StatementRow[]): void {
    for (const row of rows) this.ownerOf(row)
  }

  /** From now on it is about a row whose plan is that of another one with other parameters. */
  beginRow(row: StatementRow, translate: (param: number) => number): void {
    this.#translate = translate
    this.#owners?.clear()
    this.ownerOf(row)
  }

  checkUnchanged(columns: readonly UnchangedColumn[]): void {
    for (const { plan, column, written, stored } of columns) {
      const known = (source: ValueSource) => this.#known(plan.bound.get(column)?.type, source)
      if (written && stored && sameBound(plan, column, known(written), known(stored))) continue
      throw plan.bound.has(column) ? boundChanged(plan, column) : ownerChanged(plan, column)
    }
  }

  ownerOf(row: StatementRow): TenantHolder {
    const known = this.#owners?.get(row)
    if (known) return known
    const { tenancy } = this.#options
    const owner = tenancy.ownerOf(
      row.plan,
      { written: this.#tenantIn(row, row.written), stored: this.#tenantIn(row, row.stored) },
      tenancy.writeOwner(),
    )
    this.#owners ??= new Map()
    this.#owners.set(row, owner)
    return owner
  }

  /** The texts that a ciphertext of a row is bound to. */
  boundOf(field: FieldPlan, { plan, written, stored }: StatementRow): readonly string[] {
    if (field.bind.length === 0) return NONE
    const known: Record<string, unknown> = {}
    for (const column of field.bind) {
      const source = written.get(column) ?? stored.get(column)
      if (source) known[column] = this.#known(plan.bound.get(column)?.type, source)
    }
    return boundTexts(plan, field, known as KnownValues, 'give it in the INSERT, or by = in the WHERE of the UPDATE')
  }

  valueOf(source: ValueSource): unknown {
    if ('constant' in source) return source.constant
    return this.#options.open(this.#at(this.numberOf(source.param))) ?? null
  }

  /** The elements of a list; `null` where none is given. */
  listOf(source: ValueSource, { name }: FieldPlan): unknown[] | null {
    const value = this.valueOf(source)
    if (value === null) return null
    if (!Array.isArray(value))
      throw unsupported(`${name} is compared with ANY or ALL of a parameter, which must be an array`)
    return value.map((element: unknown) => element ?? null)
  }

  /** The number that the application gave a parameter. */
  numberOf(param: number): number {
    return this.#translate(param)
  }

  /** A value where nothing is encrypted, by the number that the application gave it. */
  plain(number: number): unknown {
    const value = this.#at(number)
    if (this.#options.isSealed(value)) throw sealedElsewhere()
    return value
  }

  /**
   * PostgreSQL would complain of a value that no part of the statement names, once it has it.
   *
   * @throws FieldsealError `QUERY_UNSUPPORTED`
   */
  checkAllUsed(used: ReadonlySet<number>): void {
    const { length } = this.#options.given
    for (let number = 1; number <= length; number += 1) {
      if (used.has(number)) continue
      throw unsupported(
        `the statement is given a value for $${number}, which it does not name: give those that it names`,
      )
    }
  }

  #tenantIn({ plan: { tenant } }: StatementRow, known: StatementRow['written']): unknown {
    const source = tenant === undefined ? undefined : known.get(tenant)
    return source && this.valueOf(source)
  }

  #known(type: string | undefined, source: ValueSource): unknown {
    return knownValue(type, this.valueOf(source))
  }

  #at(number: number): unknown {
    const { given } = this.#options
    if (number > given.length)
      throw unsupported(`the statement names the parameter $${number}, and is given ${given.length}: give all of them`)
    return given[number - 1]
  }
}

const NONE: readonly string[] = []

function unchanged(param: number): number {
  return param
}

function boundChanged({ name }: ModelPlan, column: string): Error {
  return unsupported(
    `${name}.${column} is what ciphertexts are bound to, so it cannot be changed: write the row anew, or leave it out`,
  )
}

/** A row that is said to be another tenant's has ciphertexts that this one cannot read. */
function ownerChanged({ name }: ModelPlan, column: string): Error {
  return unsupported(
    `${name}.${column} says whose the row is, and its ciphertexts are that tenant's: leave it out, or have the WHERE ask for the ` +
      'same tenant by =; to give a row to another tenant, write it anew',
  )
}

export function sealedElsewhere(): Error {
  return unsupported(
    'a value of an encrypted column stands in a place of the statement where nothing is known to be encrypted: it is not sent',
  )
}
