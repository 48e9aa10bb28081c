import type { Node, ParamRef, TypeName } from 'libpg-query'
import type { BoundColumnSchema } from '../schema/encryptionSchema.js'
import { isBuiltIn, namesOf, nodeOf } from './nodes.js'
import type { SqlText } from './sqlText.js'
import type { ValueSource } from './statementPlan.js'

/** A parameter, perhaps cast to text, which changes no text. */
export interface Parameter {
  readonly ref: ParamRef
  /** Its last token, the cast included. */
  readonly last: number
}

type BoundType = BoundColumnSchema['type']

const TEXT_TYPES = new Set(['text', 'varchar'])

/** The parameter that a value of an encrypted column is given by, or a list of values: `$1`, `$1::text`, `$1::text[]`. */
export function parameterOf(text: SqlText, node: Node | undefined, isList = false): Parameter | undefined {
  const cast = nodeOf(node, 'TypeCast')
  const ref = nodeOf(cast ? cast.arg : node, 'ParamRef')
  if (!ref) return undefined
  const token = text.tokenAt(ref.location)
  if (!cast) return { ref, last: token }
  const after = text.tokens.slice(token + 1, token + 5).map((each) => each.text)
  const isSpelt = after[0] === '::' && (!isList || (after[2] === '[' && after[3] === ']'))
  if (!isSpelt || !isText(cast.typeName, isList)) return undefined
  return { ref, last: token + (isList ? 4 : 2) }
}

function isText({ names, typmods, arrayBounds }: TypeName = {}, isList: boolean): boolean {
  return TEXT_TYPES.has(namesOf(names).at(-1) ?? '') && !typmods && (arrayBounds?.length ?? 0) === (isList ? 1 : 0)
}

/** The type to which a parameter is cast, as it is best known: `bigint`. */
export function castOfParameter(node: Node | undefined): string | undefined {
  const cast = nodeOf(node, 'TypeCast')
  if (!nodeOf(cast?.arg, 'ParamRef')) return undefined
  const name = namesOf(cast?.typeName?.names).at(-1) ?? ''
  return `${CALLED[name] ?? name}${cast?.typeName?.arrayBounds ? '[]' : ''}`
}

/** Types whose name in SQL is another one. */
const CALLED: { readonly [name: string]: string } = {
  ...{ int2: 'smallint', int4: 'int', int8: 'bigint', float4: 'real', float8: 'double precision' },
  ...{ bool: 'boolean', bpchar: 'char', timestamptz: 'timestamptz' },
}

/** What casts to them leave as it is, by the type of the column that has the value; `undefined` for the tenant's. */
const KEEPING: { readonly [type in BoundType | 'undefined']: readonly string[] } = {
  undefined: ['text', 'varchar', 'uuid'],
  String: ['text', 'varchar'],
  Uuid: ['text', 'varchar', 'uuid'],
  Int: ['int2', 'int4', 'int8', 'numeric'],
  BigInt: ['int2', 'int4', 'int8', 'numeric'],
}

/**
 * What a column is given or compared with, as far as that is known before the statement runs: `'007'::int` in a text column
 * is stored as another value than what is known here.
 */
export function valueSource(node: Node | undefined, type?: BoundType): ValueSource | undefined {
  const cast = nodeOf(node, 'TypeCast')
  if (cast) return keeps(cast.typeName, type) ? valueSource(cast.arg, type) : undefined
  const ref = nodeOf(node, 'ParamRef')
  if (ref) return { param: ref.number ?? 0 }
  const constant = nodeOf(node, 'A_Const')
  if (!constant) return undefined
  if (constant.isnull) return { constant: null }
  if (constant.sval) return { constant: constant.sval.sval ?? '' }
  return constant.ival ? { constant: constant.ival.ival ?? 0 } : undefined
}

function keeps({ names, typmods, arrayBounds }: TypeName = {}, type?: BoundType): boolean {
  return !typmods && !arrayBounds && KEEPING[`${type}`].some((name) => isBuiltIn(names, name))
}

export function isNull(node: Node | undefined): boolean {
  return nodeOf(node, 'A_Const')?.isnull === true
}
