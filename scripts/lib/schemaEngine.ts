import { readdir, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils'
import * as wasm from '@prisma/schema-engine-wasm/schema_engine_bg'
import { postgres } from './schemaEngineDatabase.js'

/** Prisma's schema engine, running as WebAssembly in this process: nothing is downloaded. */
export interface OpenEngine {
  readonly engine: wasm.SchemaEngine
  close(): Promise<void>
}

/** A Prisma schema file: its path and its text. */
export type SchemaFile = [path: string, content: string]

/**
 * Creates the tables of a Prisma schema, or brings them up to date, as `prisma db push` does.
 *
 * @param schemaPath a schema file, or a folder of them
 * @throws Error when the change would lose data or cannot be made
 */
export async function applySchema(databaseUrl: string, schemaPath: string): Promise<void> {
  const files = await readSchema(schemaPath)
  const { engine, close } = await openEngine({ factory: postgres(databaseUrl), datamodels: files })
  try {
    const { unexecutable, warnings } = await engine.schemaPush({
      force: false,
      schema: { files: files.map(([path, content]) => ({ path, content })) },
      filters: { externalTables: [], externalEnums: [] },
    })
    const refusals = [...unexecutable, ...warnings]
    if (refusals.length > 0) throw new Error(`${schemaPath} was not applied:\n${refusals.join('\n')}`)
  } finally {
    await close()
  }
}

/** Reads a schema file, or every `.prisma` file under a folder. */
export async function readSchema(schemaPath: string): Promise<SchemaFile[]> {
  if ((await stat(schemaPath)).isFile()) return [[schemaPath, await readFile(schemaPath, 'utf8')]]
  const names = await readdir(schemaPath, { recursive: true })
  const paths = names.filter((name) => name.endsWith('.prisma')).map((name) => join(schemaPath, name))
  return Promise.all(paths.sort().map(async (path): Promise<SchemaFile> => [path, await readFile(path, 'utf8')]))
}

/** Opens an engine on a database; `close` ends its connections. */
export async function openEngine(options: {
  factory: SqlMigrationAwareDriverAdapterFactory
  datamodels?: SchemaFile[] | undefined
}): Promise<OpenEngine> {
  await instantiate()
  const { factory, dispose } = remembering(options.factory)
  try {
    const bound = bindMigrationAwareSqlAdapterFactory(factory)
    const engine = await wasm.SchemaEngine.new({ datamodels: options.datamodels }, () => undefined, bound)
    return { engine, close: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** The engine leaves its last connection open; this remembers every one, to dispose of them. */
function remembering(factory: SqlMigrationAwareDriverAdapterFactory) {
  const open = new Set<SqlDriverAdapter>()
  const remember = async (connecting: Promise<SqlDriverAdapter>) => {
    const adapter = await connecting
    const end = adapter.dispose.bind(adapter)
    open.add(adapter)
    return Object.assign(adapter, { dispose: () => (open.delete(adapter) ? end() : Promise.resolve()) })
  }
  const { provider, adapterName } = factory
  const connect = () => remember(factory.connect())
  const connectToShadowDb = () => remember(factory.connectToShadowDb())
  const dispose = async () => void (await Promise.all([...open].map((adapter) => adapter.dispose())))
  return { factory: { provider, adapterName, connect, connectToShadowDb }, dispose }
}

// Part of Node.js, but only typed for browsers.
declare const WebAssembly: {
  instantiate(code: Buffer, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>
}

let instance: Promise<void> | undefined

function instantiate(): Promise<void> {
  instance ??= (async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
    const code = await readFile(join(folder, 'schema_engine_bg.wasm'))
    const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': withIdleTimers(wasm) })
    wasm.__wbg_set_wasm(instance.exports)
    const start = instance.exports.__wbindgen_start as () => void
    start()
  })()
  return instance
}

/** The engine never clears the 60 s of its advisory lock; they should not keep a finished process waiting. */
function withIdleTimers(imports: object): object {
  const [name] = Object.keys(imports).filter((key) => key.startsWith('__wbg_setTimeout_'))
  const unref = (run: () => void, milliseconds: number) => setTimeout(run, milliseconds >>> 0).unref()
  return { ...imports, [name!]: unref }
}
