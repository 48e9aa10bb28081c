import { FieldsealError } from '../../errors.js'
import type { MaintainedBlindIndex, MaintainedModel } from './model.js'
import type { RowStates, RowWork } from './operation.js'
import { preparePage } from './pageWork.js'
import type { Problem } from './problem.js'
import { RowPlanner } from './rowPlanner.js'
import type { Cell, Page, RowKey, RowSource } from './rowSource.js'
import { SeenValues } from './seenValues.js'
import type { Statements } from './statements.js'
import type { RowTransformer } from './transformRows.js'

export interface CollisionSearch extends Omit<RowTransformer, 'planner'> {
  readonly model: MaintainedModel
  /** Of the operation `encrypt`. */
  readonly source: RowSource
  readonly statements: Statements
  readonly signal: AbortSignal | undefined
}

/** Rows that are looked at together. */
const PAGE = 1_000
/** Other rows that a message names. */
const NAMED = 3

/** The unique blind indexes of a model. */
export function uniqueIndexes({ indexes }: MaintainedModel): readonly MaintainedBlindIndex[] {
  return indexes.filter((index): index is MaintainedBlindIndex => index.kind === 'blind' && index.unique)
}

/**
 * Finds the rows in plaintext whose unique blind index another row will have or has, without changing any: a unique
 * constraint does not see plaintext, so there may be such rows. Rows that cannot be encrypted at all are passed over. What
 * is written meanwhile may add to them.
 */
export async function findCollisions(search: CollisionSearch): Promise<Problem[]> {
  const suspects = await suspectValues(search)
  if (suspects.size === 0) return []
  const rows = new Map<string, RowKey[]>()
  await eachValue(search, async (values) => {
    for (const { name, key } of values) if (suspects.has(name)) rows.set(name, [...(rows.get(name) ?? []), key])
  })
  return [...rows].flatMap(([name, keys]) => problemsOf(search.model, suspects.get(name)!, keys))
}

/** What a row in plaintext will have in a unique blind index. */
interface IndexValue {
  readonly index: MaintainedBlindIndex
  readonly value: NonNullable<Cell>
  /** Of index and value together. */
  readonly name: string
  readonly key: RowKey
}

interface Suspect {
  readonly index: MaintainedBlindIndex
  /** An encrypted row has it. */
  readonly taken: boolean
}

/** The values that more rows than one seem to have. */
async function suspectValues(search: CollisionSearch): Promise<Map<string, Suspect>> {
  const suspects = new Map<string, Suspect>()
  const seen = new Map(uniqueIndexes(search.model).map((index) => [index, new SeenValues()]))
  await eachValue(search, async (values) => {
    for (const { index, value, name } of values) {
      if (seen.get(index)!.add(bytesOf(value))) suspects.set(name, { index, taken: false })
    }
    for (const index of seen.keys()) {
      const own = values.filter((one) => one.index === index).map(({ value }) => value)
      const taken = await search.statements.run(() => search.source.holding(index.field, own))
      for (const value of taken) suspects.set(nameOf(index, value), { index, taken: true })
    }
  })
  return suspects
}

/** Reads the table once, page by page. */
async function eachValue(
  { source, statements, signal, model, ...keys }: CollisionSearch,
  work: (values: readonly IndexValue[]) => Promise<void>,
): Promise<void> {
  const transformer = { ...keys, planner: new CollisionPlanner('encrypt', model) }
  for (let after: RowKey | null = null; !signal?.aborted; ) {
    const from: RowKey | null = after
    const page: Page = await statements.run(() => source.page({ after: from, until: null, limit: PAGE }))
    if (page.ended) return
    const { changes } = await preparePage(transformer, page.rows)
    await work(
      changes.flatMap(({ row, cells }) =>
        uniqueIndexes(model).flatMap((index) => {
          const value = Object.hasOwn(cells, index.field) ? cells[index.field]! : null
          return value === null ? [] : [{ index, value, name: nameOf(index, value), key: row.key }]
        }),
      ),
    )
    after = page.last
  }
}

/** Makes the unique indexes of plaintext, and nothing else. */
class CollisionPlanner extends RowPlanner {
  protected override work(states: RowStates): RowWork {
    const isSet = (name: string) => states.get(name) !== 'null' && states.get(name) !== 'torn'
    const index = uniqueIndexes(this.model).filter(
      ({ sources }) => sources.every(isSet) && sources.some((name) => states.get(name) === 'plain'),
    )
    return { seal: [], reveal: [], open: [], index, clear: [] }
  }
}

function problemsOf(model: MaintainedModel, { index, taken }: Suspect, keys: readonly RowKey[]): Problem[] {
  if (keys.length === 1 && !taken) return []
  return keys.map((key) => {
    const others = keys.filter((other) => other !== key).map((other) => other.join(' / '))
    const named = others.length > NAMED ? [...others.slice(0, NAMED), `${others.length - NAMED} more`] : others
    const whose = [...(taken ? ['an encrypted row'] : []), ...named].join(', ')
    const message = `${model.name}.${index.field} is unique, and the value of this row is also that of ${whose}: change or delete all but one`
    return { model: model.name, key, ...pick(new FieldsealError('ROW_REFUSED', message)) }
  })
}

function pick({ code, message }: FieldsealError): Pick<Problem, 'code' | 'message'> {
  return { code, message }
}

function nameOf({ field }: MaintainedBlindIndex, value: NonNullable<Cell>): string {
  return `${field} ${bytesOf(value).toString('base64url')}`
}

function bytesOf(value: NonNullable<Cell>): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'base64url') : Buffer.from(value)
}
