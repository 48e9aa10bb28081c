import { Buffer } from 'node:buffer'

/** Moments that TypeORM takes from the clock. */
const MOMENT = /deletedAt$/i
/** Of blind indexes, which one side alone has. */
const INDEX = /index$/i

/** A result in a form that can be compared: without an order that nobody asked for, and without index columns. */
export function comparable(value: unknown, ordered: boolean, within: readonly unknown[] = []): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value === undefined ? 'undefined' : value
  if (within.includes(value)) return 'itself'
  const inside = [...within, value]
  if (ArrayBuffer.isView(value)) return `bytes ${Buffer.from(value as Uint8Array).toString('hex')}`
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (value instanceof Promise) return 'promise'
  if (Array.isArray(value)) {
    const list = value.map((element) => comparable(element, false, inside))
    return ordered || !list.some((element) => typeof element === 'object') ? list : sorted(list)
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, element]) => isShown(name) && element !== undefined && !isIndexesOnly(element))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, element]) => [
        name,
        MOMENT.test(name) ? momentOf(element) : comparable(element, ordered && name === 'raw', inside),
      ]),
  )
}

function isShown(name: string): boolean {
  return !INDEX.test(name) && !name.startsWith('__')
}

/** After `save`, TypeORM shows null for an index, in an embedded object that may have nothing else. */
function isIndexesOnly(element: unknown): boolean {
  if (typeof element !== 'object' || element === null || Object.getPrototypeOf(element) === Object.prototype)
    return false
  const names = Object.keys(element)
  return names.length > 0 && names.every((name) => INDEX.test(name))
}

function momentOf(element: unknown): unknown {
  return element === null ? null : 'a moment'
}

function sorted(list: readonly unknown[]): unknown[] {
  return list
    .map((element) => JSON.stringify(element))
    .sort()
    .map((text) => JSON.parse(text))
}
