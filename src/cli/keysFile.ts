import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { FieldsealError } from '../errors.js'
import type { CopiedKey } from '../keys/keyStore.js'
import { printable } from '../printable.js'

const FORMAT = 'fieldseal-keys/1'
/** For its owner alone. */
const MODE = 0o600

/** What a file of keys holds. */
export interface KeysFile {
  readonly exportedAt: Date
  readonly keys: readonly CopiedKey[]
}

/**
 * Writes the rows of the keys table into a file: a line of JSON that says what it is, one for each key, and one with their
 * number and the SHA-256 of all before. The file is there wholly or not at all; one of that name is replaced.
 */
export async function writeKeysFile(file: string, { exportedAt, keys }: KeysFile): Promise<void> {
  const lines = [{ format: FORMAT, exportedAt }, ...keys].map((line) => `${JSON.stringify(line)}\n`)
  const sha256 = createHash('sha256')
  for (const line of lines) sha256.update(line)
  const text = `${lines.join('')}${JSON.stringify({ keys: keys.length, sha256: sha256.digest('hex') })}\n`
  const path = resolve(file)
  const unfinished = `${path}.${randomUUID()}`
  try {
    await writeDurably(unfinished, text)
    await rename(unfinished, path)
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw unusable(`${file} could not be written: ${(cause as Error).message}`, cause)
  }
  await syncFolder(dirname(path))
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The name, too, is to outlast a crash. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/**
 * Reads what `writeKeysFile` wrote.
 *
 * @returns `null` when there is no such file
 * @throws FieldsealError `OPTIONS_INVALID` for one that is not whole, or something else
 */
export async function readKeysFile(file: string): Promise<KeysFile | null> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    if ((cause as { code?: unknown }).code === 'ENOENT') return null
    throw unusable(`${file} could not be read: ${(cause as Error).message}`, cause)
  })
  if (text === null) return null
  const end = text.lastIndexOf('\n', text.length - 2) + 1
  const [head, ...rows] = text.slice(0, end).split('\n').slice(0, -1).map(parsed)
  const tail = parsed(text.slice(end))
  if (head?.format !== FORMAT) throw unusable(`${file} is not what \`fieldseal keys export\` writes (${FORMAT})`)
  if (tail?.sha256 !== createHash('sha256').update(text.slice(0, end)).digest('hex') || tail.keys !== rows.length)
    throw unusable(`${file} is not whole, or was changed: its checksum is another`)
  return { exportedAt: new Date(String(head.exportedAt)), keys: rows.map((row) => keyOf(row, file)) }
}

interface Line {
  readonly [name: string]: unknown
}

function parsed(line: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Line) : undefined
  } catch {
    return undefined
  }
}

const TEXTS = ['id', 'tenant', 'purpose', 'state', 'kms', 'kekId']
const NUMBERS = ['version', 'messages']

/** The types alone; whether it can be such a key is asked when it is restored. */
function keyOf(row: Line | undefined, file: string): CopiedKey {
  const isKey =
    row !== undefined &&
    TEXTS.every((name) => typeof row[name] === 'string') &&
    NUMBERS.every((name) => Number.isSafeInteger(row[name])) &&
    (row.wrapped === null || typeof row.wrapped === 'string')
  if (!isKey) throw unusable(`${file} has a line that is no key`)
  const [createdAt, retiredAt, destroyedAt] = ['createdAt', 'retiredAt', 'destroyedAt'].map((name) => timeOf(row[name]))
  if (!createdAt || retiredAt === undefined || destroyedAt === undefined)
    throw unusable(`${file} has a line with no time`)
  return { ...(row as unknown as CopiedKey), createdAt, retiredAt, destroyedAt }
}

function timeOf(value: unknown): Date | null | undefined {
  if (value === null) return null
  const time = new Date(String(value))
  return Number.isNaN(time.getTime()) ? undefined : time
}

function unusable(message: string, cause?: unknown): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', printable(message), { cause })
}
