import type { DataSource, QueryRunner } from 'typeorm'
import { FieldsealError } from '../errors.js'
import { printable } from '../printable.js'
import type { Catalog } from '../sql/catalog.js'
import { type DatabaseRelation, readRelations } from '../sql/databaseRelations.js'
import { relativesOf, type UndeclaredColumn, undeclaredColumns } from '../sql/relatives.js'
import type { StatementEncryption } from '../sql/statementEncryption.js'
import { codeOf } from './keys/keyStore.js'
import { type Connection, ownPoolOf, runText } from './keys/pool.js'

/** What of a runner is used. */
type Runner = Pick<QueryRunner, 'connect'>

const BEFORE = String.raw`^(?:\s|--[^\n]*\n|/\*[^]*?\*/)*`
/** How statements begin that change none of it, and neither begin nor end a transaction: as TypeORM writes nearly all. */
const USUAL = ['SELECT ', 'INSERT ', 'UPDATE ', 'DELETE ']
/** What may make a view, a partition or a child of a table, or take one away. */
const CHANGES = new RegExp(String.raw`${BEFORE}(?:create|alter|drop|do|call|import)\b`, 'i')
const BEGINS = new RegExp(String.raw`${BEFORE}(?:begin|start\s+transaction)\b`, 'i')
const ENDS = new RegExp(String.raw`${BEFORE}(?:commit|end|rollback|abort|prepare\s+transaction)\b`, 'i')
const TO_SAVEPOINT = new RegExp(String.raw`${BEFORE}rollback\s+(?:work\s+|transaction\s+)?to\b`, 'i')

/**
 * What shares rows with the encrypted tables of a data source: read when it begins, and again after each statement of its
 * own that may have changed it. What a transaction has made is seen by it alone, and so read on its connection.
 */
export class KnownRelatives {
  readonly #catalog: Catalog
  readonly #statements: StatementEncryption
  #committed: readonly DatabaseRelation[] = []
  readonly #uncommitted = new Map<Runner, readonly DatabaseRelation[]>()
  /** Those in a transaction, whoever began it: TypeORM does not know of a `BEGIN` in SQL. */
  readonly #open = new WeakSet<Runner>()
  /** Those in whose transactions something was changed that was not read yet. */
  readonly #changed = new Set<Runner>()
  /** Readings by their order: the last that was begun, the last whose outcome is known, and the first that sees all changes. */
  #started = 0
  #applied = 0
  #needed = 0
  #known = ''
  #undeclared: readonly UndeclaredColumn[] = []

  constructor(catalog: Catalog, statements: StatementEncryption) {
    this.#catalog = catalog
    this.#statements = statements
  }

  get undeclared(): readonly UndeclaredColumn[] {
    return this.#undeclared
  }

  /** @throws FieldsealError `DATABASE_UNAVAILABLE` */
  async begin(dataSource: DataSource): Promise<void> {
    await this.#readCommitted(async () => ownPoolOf(dataSource)!)
  }

  /**
   * Sees before a statement that all is known that it may name.
   *
   * @returns nothing where all is
   * @throws FieldsealError `DATABASE_UNAVAILABLE`: it is not sent
   */
  before(runner: Runner, text: string): Promise<void> | undefined {
    const isStale = this.#applied < this.#needed
    const isNeeded = isStale || this.#changed.has(runner)
    // Many changes follow each other, and what is taken back need not be known.
    return !isNeeded || CHANGES.test(text) || isRollback(text) ? undefined : this.#readNeeded(runner, isStale)
  }

  async #readNeeded(runner: Runner, isStale: boolean): Promise<void> {
    if (isStale) await this.#readCommitted(() => runner.connect())
    if (this.#changed.has(runner)) await this.#readUncommitted(runner)
  }

  /** Notes what a statement has changed. It was successful, so that what fails here is told by the next one. */
  after(runner: Runner, text: string): Promise<void> | undefined {
    if (USUAL.some((begin) => text.startsWith(begin))) return undefined
    const isOpen = this.#open.has(runner)
    if (CHANGES.test(text)) {
      if (!isOpen) return this.#readAgain(runner)
      this.#changed.add(runner)
    } else if (BEGINS.test(text)) this.#open.add(runner)
    else if (isOpen && ENDS.test(text) && !TO_SAVEPOINT.test(text)) return this.#end(runner)
    return undefined
  }

  async #end(runner: Runner): Promise<void> {
    this.#open.delete(runner)
    const hasChanged = this.#changed.delete(runner)
    if (!hasChanged && !this.#uncommitted.has(runner)) return
    await this.#readAgain(runner)
    this.#uncommitted.delete(runner)
    this.#apply()
  }

  async #readUncommitted(runner: Runner): Promise<void> {
    const relations = await this.#read(await runner.connect())
    this.#changed.delete(runner)
    this.#uncommitted.set(runner, relations)
    this.#apply()
  }

  async #readAgain(runner: Runner): Promise<void> {
    this.#needed = this.#started + 1
    await this.#readCommitted(() => runner.connect()).catch(() => undefined)
  }

  async #readCommitted(connect: () => Promise<Connection>): Promise<void> {
    this.#started += 1
    const turn = this.#started
    const relations = await this.#read(await connect())
    // One that began later knows more.
    if (turn < this.#applied) return
    this.#applied = turn
    this.#committed = relations
    this.#apply()
  }

  async #read(connection: Connection): Promise<readonly DatabaseRelation[]> {
    try {
      return await readRelations(async (text, values) => (await runText(connection, text, values)).rows, this.#catalog)
    } catch (cause) {
      throw unreadable(cause)
    }
  }

  #apply(): void {
    const relations = new Map<string, DatabaseRelation>()
    for (const list of [this.#committed, ...this.#uncommitted.values()])
      for (const relation of list) relations.set(relation.oid, relation)
    const known = JSON.stringify([...relations.values()])
    if (known === this.#known) return
    this.#known = known
    const relatives = relativesOf(this.#catalog, [...relations.values()])
    this.#undeclared = undeclaredColumns(relatives)
    this.#statements.use(this.#catalog.with(relatives))
  }
}

function isRollback(text: string): boolean {
  return ENDS.test(text) && /rollback|abort/i.test(text)
}

function unreadable(cause: unknown): FieldsealError {
  const reason = printable((cause as { message?: unknown } | null)?.message ?? cause)
  const rights =
    codeOf(cause) === '42501'
      ? ': its user must be able to read pg_class, pg_namespace, pg_attribute, pg_inherits, pg_depend and pg_rewrite, and to call pg_get_viewdef'
      : ''
  const message = `which views and tables share rows with the encrypted ones could not be read from PostgreSQL's catalogue${rights} (${reason})`
  return new FieldsealError('DATABASE_UNAVAILABLE', message, { cause })
}
