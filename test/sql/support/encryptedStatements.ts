import { compilePlans } from '../../../src/plan/compilePlans.js'
import type { Plans } from '../../../src/plan/plan.js'
import type { EncryptionSchema } from '../../../src/schema/encryptionSchema.js'
import {
  type IndexSearch,
  isUse,
  type Piece,
  type StatementPlan,
  type TokenSearch,
  type ValueSource,
  valuesAsked,
} from '../../../src/sql/statementPlan.js'

export const plansOf = (schema: EncryptionSchema): Plans =>
  compilePlans(schema, { toDecimal: (text) => text as unknown as object })

/** What a statement becomes, with the uses of its parameters by name: `‹search User.emailIndex $1›`. */
export function shown({ pieces, outputs, hidden, tokenChecks }: StatementPlan): {
  readonly sql: string
  readonly reads: string[]
} {
  const reads = outputs.flatMap(({ fields, known }) =>
    fields.map(({ name, field }) => [`${name} = ${field.name}`, ...known.map((column) => column.name)].join(' with ')),
  )
  const checked = new Set(tokenChecks.map(({ search }) => search))
  return {
    sql: pieces.map((piece) => shownPiece(piece, checked)).join(''),
    reads: [...reads, ...hidden.map((name) => `without ${name}`)],
  }
}

function shownPiece(piece: Piece, checked: ReadonlySet<TokenSearch>): string {
  if (typeof piece === 'string') return piece
  if (!isUse(piece)) return ''
  if (piece.kind === 'plain') return `$${piece.param}`
  if (piece.kind === 'presence') return `‹presence $${piece.param}›`
  if (piece.kind === 'token search') return shownSearch(piece.search, checked.has(piece.search))
  const name = piece.kind === 'value' ? piece.field.name : piece.index.name
  const sources = piece.kind === 'value' ? [piece.value] : piece.values
  const isEach = piece.kind === 'search' ? piece.compared === 'each' : piece.kind === 'plaintext' && piece.each
  const use = `‹${piece.kind}${isEach ? ' each' : ''} ${name} ${sources.map(shownSource).join(' ')}›`
  return piece.kind === 'search' ? `${operatorOf(piece)}${use}` : use
}

/** What the use puts before its value, if anything. */
function operatorOf({ compared }: IndexSearch): string {
  return compared === '=' || compared === '<>' ? `${compared} ` : ''
}

function shownSearch({ ask, isNegated, columns, own, unknown }: TokenSearch, isChecked: boolean): string {
  const values = valuesAsked(ask).map(shownSource)
  const operators = ask.kind === 'range' ? ask.bounds.map(({ operator }) => operator) : [ask.kind]
  const counts = unknown === 'false' ? '' : ` null is ${unknown}`
  const found = isChecked ? ' checked' : ''
  return `‹${isNegated ? 'not ' : ''}${operators.join(' ')} ${own} ${values.join(' ')} by ${[...columns.values()].join(' ')}${counts}${found}›`
}

function shownSource(source: ValueSource | undefined): string {
  return source && 'param' in source ? `$${source.param}` : String(source?.constant)
}
