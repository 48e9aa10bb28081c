import { FieldsealError } from '../errors.js'
import { formerCells } from './postgres/formerCells.js'
import type { MaintainedField } from './rows/model.js'
import { isRowProblem } from './rows/problem.js'
import type { Cell } from './rows/rowSource.js'
import { plaintextIn } from './rows/storedCell.js'
import type { TableRun } from './tableRun.js'

/** So many values are tried; one that can be decrypted is enough. Of fewer, each is a row's own problem. */
const TRIED = 20

/**
 * Tries the keys of other libraries whose ciphertexts nothing authenticates, before anything is changed: under a wrong one,
 * a few values of very many might come out as others.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when nothing of a field can be decrypted
 */
export async function checkFormerKeys({ operation, database, target: { model, table } }: TableRun): Promise<void> {
  if (operation !== 'encrypt') return
  for (const field of model.fields) {
    if (field.former?.isAuthenticated !== false) continue
    const cells = await formerCells(database, {
      table,
      column: table.fields[field.field]!,
      ...field.former,
      limit: TRIED,
    })
    const errors = cells.map((cell) => errorOf(field, cell))
    if (errors.length === TRIED && errors.every((error) => error !== undefined)) throw noneOpens(field, errors[0]!)
  }
}

function errorOf(field: MaintainedField, cell: Cell): FieldsealError | undefined {
  try {
    plaintextIn(field, cell)
    return undefined
  } catch (error) {
    if (isRowProblem(error)) return error
    throw error
  }
}

function noneOpens({ name, former }: MaintainedField, cause: FieldsealError): FieldsealError {
  const message =
    `none of ${TRIED} values that ${name} holds of ${former!.library} can be read, so that its key in "migratingFrom" is probably ` +
    `another one, and nothing was changed: ${cause.message}`
  return new FieldsealError('OPTIONS_INVALID', message, { cause })
}
