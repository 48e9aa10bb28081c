import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { FieldsealError } from '../../errors.js'
import type { TextFile } from './plan.js'
import { readPackage } from './readPackage.js'

export interface FoundSchema {
  readonly files: readonly TextFile[]
  /** Its folder, if it is one of many files. */
  readonly folder: string | undefined
  /** The folder of the migrations, where Prisma's configuration names one. */
  readonly migrations?: string | undefined
}

/** Where Prisma looks, in its order. */
const USUAL = ['schema.prisma', 'prisma/schema.prisma', 'prisma/schema', 'prisma']

/**
 * The files of the Prisma schema.
 *
 * @param given its file or folder; found as Prisma does unless given
 * @throws FieldsealError `SCHEMA_INVALID` when there is none
 */
export async function findSchema(root: string, given: string | undefined): Promise<FoundSchema> {
  const { schema, migrations } = await fromPrismaConfig(root)
  const named = given ?? schema ?? fromPackage(root)
  const found = schemaAt(root, named)
  if (found) return { ...found, migrations }
  const where = named === undefined ? 'here' : `at ${given ?? relative(root, resolve(root, named))}`
  throw new FieldsealError(
    'SCHEMA_INVALID',
    `there is no Prisma schema ${where}: name its file or folder with --schema`,
  )
}

/** Whether the project has a Prisma schema, or says that it has one. */
export async function hasSchema(root: string): Promise<boolean> {
  const named = (await fromPrismaConfig(root)).schema ?? fromPackage(root)
  return named !== undefined || schemaAt(root, undefined) !== undefined
}

function schemaAt(root: string, named: string | undefined): FoundSchema | undefined {
  const candidates = (named === undefined ? USUAL : [named]).map((path) => resolve(root, path))
  for (const path of candidates) {
    const files = existsSync(path) ? filesAt(path) : []
    if (files.length > 0)
      return {
        files: files.map((file) => ({ path: file, text: readFileSync(file, 'utf8') })),
        folder: folderOf(path, files),
      }
  }
  return undefined
}

function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.prisma') && !name.includes('node_modules'))
    .map((name) => join(path, name))
    .sort()
}

/** A folder with one file only counts as a file. Prisma wants other files of the schema beside the datasource's. */
function folderOf(path: string, files: readonly string[]): string | undefined {
  if (!statSync(path).isDirectory() || files.length === 1) return undefined
  const main = files.find((file) => basename(file) === 'schema.prisma') ?? files[0]!
  return dirname(main)
}

/** Where Prisma looks for its configuration, in its order; `prisma init` writes the first. */
const CONFIGURATIONS = ['prisma7.config', '.config/prisma7', 'prisma.config', '.config/prisma', '.config/prisma.config']
const ENDINGS = ['js', 'ts', 'mjs', 'cjs', 'mts', 'cts']

interface PrismaPaths {
  readonly schema?: string | undefined
  readonly migrations?: string | undefined
}

async function fromPrismaConfig(root: string): Promise<PrismaPaths> {
  const path = CONFIGURATIONS.flatMap((name) => ENDINGS.map((ending) => join(root, `${name}.${ending}`))).find((file) =>
    existsSync(file),
  )
  if (path === undefined) return {}
  const { schema, migrations } = await pathsInConfig(path)
  const at = (named: string | undefined) => (named === undefined ? undefined : resolve(dirname(path), named))
  return { schema: at(schema), migrations: at(migrations) }
}

async function pathsInConfig(path: string): Promise<PrismaPaths> {
  try {
    const { createJiti } = await import('jiti')
    const config = await createJiti(import.meta.url, { tryNative: true }).import<
      { schema?: string; migrations?: { path?: string } } | undefined
    >(path, { default: true })
    return { schema: config?.schema, migrations: config?.migrations?.path }
  } catch {
    // It may need what is not set up yet; the text says it too.
    const text = readFileSync(path, 'utf8')
    return {
      schema: /\bschema\s*:\s*['"`]([^'"`]+)['"`]/.exec(text)?.[1],
      migrations: /\bmigrations\s*:\s*\{[^}]*?\bpath\s*:\s*['"`]([^'"`]+)['"`]/.exec(text)?.[1],
    }
  }
}

function fromPackage(root: string): string | undefined {
  return readPackage(root).prisma?.schema
}
