/** What becomes of a read of the row under the retired key and of the one under the active key, a search and a write. */
export interface Effect {
  readonly reads?: readonly [old: string, current: string]
  readonly search?: string
  /** `v` and the version of the key that the new row is under, or an error's code. */
  readonly write?: string
}

/** Something that is done to the keys table, as SQL. */
export interface Change {
  readonly column: string
  readonly what: string
  readonly sql: string
  /** What differs from before: nothing, where it is harmless. */
  readonly effect: Effect
  /** The row of SECURITY.md that says what it costs, where it is neither harmless nor refused. */
  readonly price?: Price
}

/** The first column of the table in SECURITY.md. */
export const PRICES = [
  'an active key for values is retired, or made old or full',
  'the newest key for values is deleted or hidden',
  'the newest key for values is deleted, and the one before made active',
  'a key for values is made young, or its count is set back',
  'a key is marked as destroyed',
  'keys that a shred left behind are marked as retired',
  'a row from before a shred is put back',
  'a wrapped text from before a rewrap is put back',
  'times of destruction are changed',
] as const
export type Price = (typeof PRICES)[number]

export const OLD = `tenant = 'acme' AND purpose = 'encrypt' AND version = 1`
export const NEW = `tenant = 'acme' AND purpose = 'encrypt' AND version = 2`
export const INDEX = `tenant = 'acme' AND purpose = 'index'`
export const FOREIGN = `tenant = 'globex' AND purpose = 'encrypt'`
export const FOREIGN_INDEX = `tenant = 'globex' AND purpose = 'index'`

export const change = (column: string, what: string, sql: string, effect: Effect = {}, price?: Price): Change => {
  return { column, what, sql, effect, ...(price && { price }) }
}

export const update = (set: string, where: string) => `UPDATE encryption_keys SET ${set} WHERE ${where};`
export const remove = (where: string) => `DELETE FROM encryption_keys WHERE ${where};`

/** Exchanges a column between two rows; by way of a third value, as a unique column asks for. */
export function exchange(column: string, one: string, other: string, between: string): string {
  const id = (name: string, where: string) => `SELECT id, ${column} INTO ${name} FROM encryption_keys WHERE ${where};`
  const set = (value: string, key: string) => update(`${column} = ${value}`, `id = ${key}`)
  const swap =
    column === 'id'
      ? [set(between, 'a.id'), set('a.id', 'b.id'), set('b.id', between)]
      : [set(`b.${column}`, 'a.id'), set(`a.${column}`, 'b.id')]
  return `DO $$ DECLARE a record; b record; BEGIN ${id('a', one)} ${id('b', other)} ${swap.join(' ')} END $$`
}

/** Inserts a copy of a row with other values. */
export function copy(columns: { readonly [column: string]: string }, of: string): string {
  const names = ['id', 'tenant', 'purpose', 'version', 'state', 'wrapped', 'kms', 'kek_id', 'messages']
  const values = names.map((name) => ({ id: 'gen_random_uuid()', ...columns })[name] ?? name)
  return `INSERT INTO encryption_keys (${names.join()}) SELECT ${values.join()} FROM encryption_keys WHERE ${of}`
}
