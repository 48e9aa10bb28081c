import { Buffer } from 'node:buffer'
import { comparable } from './comparable.js'
import { columnsOf, groupsOf, isExact, statedColumns } from './schema.js'
import { columnName, tableName } from './sql.js'
import { type Side, type Twins, tablesOf } from './twins.js'

type Row = Readonly<Record<string, unknown>>

/** What all tables hold, decrypted; those between entities too. */
export async function contents({ dataSource }: Side): Promise<unknown> {
  const tables: [string, unknown][] = []
  for (const { tableName: name, columns } of tablesOf(dataSource.entityMetadatas)) {
    const names = [...new Set(columns.map(({ databaseName }) => databaseName))].filter(
      (column) => !/index$/i.test(column),
    )
    const text = `SELECT ${names.map((column) => `"${column}"`).join(', ')} FROM "${name}"`
    tables.push([name, comparable(await dataSource.query(text), false)])
  }
  return Object.fromEntries(tables.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** What is wrong with the stored cells: plaintext, or a blind index that does not say what its column says. */
export async function flaws({ schema, encrypted, stored, known }: Twins): Promise<string[]> {
  const found: string[] = []
  for (const { name } of schema.entities) {
    const nameOf = (path: string) => columnName(encrypted, { alias: '', entity: name, path }).slice(1, -1)
    const text = `SELECT * FROM ${tableName(encrypted, name)} ORDER BY id`
    const cells = (await stored.query<Row>(text)).rows
    const names = ['id', ...columnsOf(schema, name).map(({ path }) => nameOf(path))]
    const values: Row[] = await encrypted.dataSource.query(
      `SELECT ${names.map((each) => `"${each}"`).join(', ')} FROM ${tableName(encrypted, name)} ORDER BY id`,
    )
    const note = (path: string, what: string) => found.push(`${name}.${path} ${what}`)
    for (const [at, row] of cells.entries()) {
      for (const { path, secret } of columnsOf(schema, name)) {
        if (!secret) continue
        const value = values[at]![nameOf(path)]
        const isPlain = !isCiphertext(row[nameOf(path)])
        if (isPlain && !secret.state) note(path, 'holds plaintext')
        if (!isPlain && row[nameOf(path)] !== null && secret.state === 'ejecting') note(path, 'is not plaintext')
        for (const index of secret.indexes)
          if (isPlain) {
            if (row[nameOf(index.path)] !== null) note(index.path, 'is there beside plaintext')
          } else if (
            !isIndexOf(
              known,
              { key: `${tableName(encrypted, name)} ${path}`, exact: isExact(index) },
              value,
              row[nameOf(index.path)],
            )
          )
            note(index.path, 'is not the index of its column')
      }
      for (const { path, secret } of columnsOf(schema, name)) {
        if (!secret?.tokens) continue
        const isPlain = !isCiphertext(row[nameOf(path)])
        const value = isPlain ? null : values[at]![nameOf(path)]
        const key = `tokens of ${tableName(encrypted, name)} ${path}`
        if (!isIndexOf(known, { key, exact: false }, value, row[nameOf(secret.tokens.path)]))
          note(secret.tokens.path, 'has not the tokens of its column')
      }
      for (const { path, sources } of groupsOf(schema, name)) {
        const own = sources.map((source) => values[at]![nameOf(source)])
        const isPlain = sources.some((source) => !isCiphertext(row[nameOf(source)]))
        const value = isPlain || own.includes(null) ? null : own
        if (!isIndexOf(known, { key: `${tableName(encrypted, name)} ${path}`, exact: true }, value, row[nameOf(path)]))
          note(path, 'is not the index of its columns')
      }
    }
  }
  return [...new Set(found)]
}

/** Every other row of an entity as it was before there was any encryption, in the columns that are migrating. */
export async function turnPlain({ schema, encrypted, stored }: Twins, entity: string): Promise<void> {
  const nameOf = (path: string) => columnName(encrypted, { alias: '', entity, path })
  const table = tableName(encrypted, entity)
  for (const { path, kind, secret } of statedColumns(schema, entity)) {
    if (secret!.state !== 'migrating') continue
    const name = nameOf(path)
    const text = `SELECT id, ${name} AS value FROM ${table} ORDER BY id`
    const rows: Row[] = await encrypted.dataSource.query(text)
    const tokens = secret!.tokens ? [secret!.tokens] : []
    const indexes = [
      ...secret!.indexes,
      ...tokens,
      ...groupsOf(schema, entity).filter(({ sources }) => sources.includes(path)),
    ]
    const cleared = indexes.map((index) => `, ${nameOf(index.path)} = NULL`).join('')
    for (const { id, value } of rows.filter((_, at) => at % 2 === 0)) {
      if (value === null) continue
      const plain = kind === 'Json' ? JSON.stringify(value) : String(value)
      // What begins so is taken for a ciphertext, as the documentation says.
      if (!plain.startsWith('fs1.'))
        await stored.query(`UPDATE ${table} SET ${name} = $1${cleared} WHERE id = $2`, [plain, id])
    }
  }
}

function isCiphertext(cell: unknown): boolean {
  if (cell === null) return true
  if (Array.isArray(cell)) return cell.length === 1 && cell[0] !== null && isCiphertext(cell[0])
  const text = ArrayBuffer.isView(cell) ? Buffer.from(cell as Uint8Array).toString('latin1') : cell
  return typeof text === 'string' && text.startsWith('fs1.') && text.length > 50
}

/** Equal values, and where it is exact only they, have equal indexes, now and later; no value has none. */
function isIndexOf(
  known: Map<string, string>,
  { key, exact }: { key: string; exact: boolean },
  value: unknown,
  index: unknown,
) {
  if (value === null) return index === null
  if (index === null) return false
  const [from, to] = [value, index].map((each) => JSON.stringify(comparable(each, true))) as [string, string]
  const pairs: [string, string][] = [[`${key} of ${from}`, to]]
  if (exact) pairs.push([`${key} means ${to}`, from])
  return pairs.every(([left, right]) => {
    if (!known.has(left)) known.set(left, right)
    return known.get(left) === right
  })
}
