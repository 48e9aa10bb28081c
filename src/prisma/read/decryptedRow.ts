import type { TenantHolder } from '../../cipher/cipher.js'

export type Row = Record<string, unknown>

/** For whom a row was decrypted. */
export interface Reader {
  owner: TenantHolder
  /** The limit of the client. */
  readonly limit: string | undefined
}

/** Its constructor gives back what it was given, so that a class over it puts its private fields on that. */
const Given = function given(row: object) {
  return row
} as unknown as new (
  row: object,
) => object

/**
 * The mark of rows that hold plaintext. An extension under this one may answer with rows that the encrypted client gave
 * it, and those come by a second time. Nothing but this class can see a private field, copies of a row have it not, and
 * unlike an entry in a WeakSet it costs the garbage collector nothing.
 */
class Decrypted extends Given {
  readonly #reader: Reader

  constructor(row: object, reader: Reader) {
    super(row)
    this.#reader = reader
  }

  static readerOf(row: object): Reader | undefined {
    return #reader in row ? row.#reader : undefined
  }
}

/** For whom a row was decrypted; `undefined` for one that holds no plaintext. */
export const readerOf = Decrypted.readerOf

/**
 * What `{}` makes, with more room: V8 measures what such objects become, and so the rows of a model with many columns
 * stay objects with a shape. Those of `{}` become hash tables, which cost several times as much to make and to read.
 */
const PlainRow = function row() {} as unknown as new () => Row
PlainRow.prototype = Object.prototype

/**
 * A copy of a row, marked if it is for a reader. The mark comes first: to a finished copy V8 would give a shape of its own,
 * which nothing is prepared for; that took longer than decryption.
 */
export function copyRow(row: Row, reader: Reader | undefined): Row {
  const isUsual = isPlain(row) && !Object.hasOwn(row, '__proto__') && Object.getOwnPropertySymbols(row).length === 0
  const copy: Row = isUsual
    ? new PlainRow()
    : Object.create(isPlain(row) ? Object.prototype : Object.getPrototypeOf(row))
  if (reader) new Decrypted(copy, reader)
  if (!isUsual) return Object.defineProperties(copy, Object.getOwnPropertyDescriptors({ ...row }))
  for (const key of Object.keys(row)) copy[key] = row[key]
  return copy
}

/** As `copyRow`, of a row that is marked; properties that were made unseen stay so. */
export function copyMarkedRow(row: Row, reader: Reader): Row {
  const copy: Row = Object.create(Object.getPrototypeOf(row))
  for (const key of Reflect.ownKeys(row) as string[]) {
    const { enumerable = true } = Object.getOwnPropertyDescriptor(row, key) ?? {}
    Object.defineProperty(copy, key, { value: row[key], enumerable, writable: true, configurable: true })
  }
  new Decrypted(copy, reader)
  return copy
}

/** Whether it has its values itself. */
export function isPlain(row: Row): boolean {
  const prototype: unknown = Object.getPrototypeOf(row)
  return prototype === Object.prototype || prototype === null
}
