import { Buffer } from 'node:buffer'
import type { Call } from './randomCase.js'
import { indexColumns, type Model, modelOf, relationOf, type Schema } from './schema.js'
import { isRecord } from './values.js'

type Args = { readonly [argument: string]: unknown }

/** A result in a form that can be compared: without an order that nobody asked for, and without index columns. */
export function comparable(schema: Schema, { model, args, operation, fluent }: Call, result: unknown): unknown {
  const own = modelOf(schema, model)
  if (operation === 'groupBy') return sorted(args, (result as unknown[]).map(plain))
  if (operation === 'count' || operation === 'aggregate') return plain(result)
  const [last, target] = lastLink(schema, own, fluent ?? [])
  return rows(schema, target, last ?? args, result)
}

function lastLink(
  schema: Schema,
  model: Model,
  [link, ...rest]: NonNullable<Call['fluent']>,
): [Args | undefined, Model] {
  if (!link) return [undefined, model]
  const target = modelOf(schema, relationOf(model, link.field)!.model)
  const [args, last] = lastLink(schema, target, rest)
  return [args ?? link.args, last]
}

function rows(schema: Schema, model: Model, args: Args, value: unknown): unknown {
  if (Array.isArray(value))
    return sorted(
      args,
      value.map((element) => row(schema, model, args, element)),
    )
  return row(schema, model, args, value)
}

function sorted(args: Args, list: readonly unknown[]): readonly unknown[] {
  if (args.orderBy !== undefined) return list
  return list
    .map((element) => JSON.stringify(element))
    .sort()
    .map((text) => JSON.parse(text))
}

function row(schema: Schema, model: Model, args: Args, value: unknown): unknown {
  if (!isRecord(value)) return plain(value)
  const indexes = indexColumns(model)
  const entries = Object.entries(value).filter(([key]) => !indexes.has(key))
  return Object.fromEntries(
    entries.sort(byName).map(([key, element]) => {
      const relation = relationOf(model, key)
      if (!relation) return [key, plain(element)]
      return [key, rows(schema, modelOf(schema, relation.model), argsOf(args, key), element)]
    }),
  )
}

function argsOf({ select, include }: Args, key: string): Args {
  const asked = [select, include].map((shape) => (isRecord(shape) ? shape[key] : undefined)).find(isRecord)
  return asked ?? {}
}

/** A value by its kind; keys of objects have no order. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `bigint ${value}`
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : value
  if (ArrayBuffer.isView(value)) return `bytes ${Buffer.from(value as Uint8Array).toString('hex')}`
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (Array.isArray(value)) return value.map(plain)
  if ('toFixed' in value) return `decimal ${value}`
  return Object.fromEntries(
    Object.entries(value)
      .sort(byName)
      .map(([key, element]) => [key, plain(element)]),
  )
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}
