import { FieldsealError } from '../../errors.js'
import { cellAt } from './rowPlanner.js'
import type { RowChange, StoredRow } from './rowSource.js'
import { formerLibraryIn, stateOf, stateOfIndex } from './storedCell.js'
import { type RowTransformer, transformRows } from './transformRows.js'

/**
 * What is wrong in rows whose every ciphertext could be read, by row.
 *
 * @throws FieldsealError as `transformRows`
 */
export async function verifyRows(
  transformer: RowTransformer,
  rows: readonly StoredRow[],
): Promise<Map<StoredRow, FieldsealError>> {
  const changes = await transformRows(transformer, rows)
  const mismatches = changes.map((change): [StoredRow, FieldsealError] => [change.row, mismatch(transformer, change)])
  const plaintexts = rows.map((row) => plaintext(transformer, row)).filter((found) => found !== undefined)
  return new Map([...mismatches, ...plaintexts])
}

function mismatch({ planner: { model } }: RowTransformer, { row, cells }: RowChange): FieldsealError {
  const [name = ''] = Object.keys(cells)
  const state = stateOfIndex(model.indexes.find(({ field }) => field === name)!, row.cells[name]!)
  const what =
    state === 'null' || state === 'empty'
      ? 'is empty beside a value'
      : 'is not the index that is made of the value beside it now'
  return new FieldsealError('INDEX_MISMATCH', `${model.name}.${name} ${what}: run reindex`)
}

function plaintext({ planner: { model } }: RowTransformer, row: StoredRow): [StoredRow, FieldsealError] | undefined {
  const plain = model.fields.find((field) => stateOf(field, cellAt(row, field)) === 'plain')
  if (plain === undefined) return undefined
  const library = formerLibraryIn(plain, cellAt(row, plain))
  const how = library === undefined ? 'in plaintext' : `as ${library} left it`
  return [row, new FieldsealError('CIPHERTEXT_INVALID', `${plain.name} is stored ${how}: run encrypt`)]
}
