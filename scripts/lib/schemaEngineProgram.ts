/**
 * What Prisma's schema-engine program is to the Prisma CLI: its command line, and JSON-RPC on standard input and
 * output, a message per line; the WebAssembly engine answers.
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { SchemaEngine } from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'
import { openEngine, type SchemaFile } from './schemaEngine.js'
import { noDatabase, postgres } from './schemaEngineDatabase.js'

interface Request {
  readonly id: number
  readonly method?: string
  readonly params?: unknown
}

const { values: options, positionals } = parseArgs({
  options: {
    datamodels: { type: 'string', multiple: true, default: [] },
    datasource: { type: 'string', default: '{}' },
    version: { type: 'boolean', default: false },
  },
  allowPositionals: true,
  strict: false,
})
const { url } = JSON.parse(String(options.datasource)) as { url?: string }
const [mode, command] = positionals

if (options.version) process.stdout.write('schema-engine-cli wasm\n')
else if (mode === 'cli') await runCommand(String(command))
else serve()

/** The commands around a whole database. The CLI reads their outcome on standard error, from the second line on. */
async function runCommand(name: string): Promise<void> {
  log('INFO', { message: 'Starting' })
  try {
    log('INFO', { message: await administer(name) })
  } catch (error) {
    log('ERROR', { is_panic: false, error_code: errorCode(error), message: describe(error) })
    process.exitCode = 1
  }
}

function administer(name: string): Promise<string> {
  const { maintenance, database } = targets()
  const quoted = pg.escapeIdentifier(database)
  switch (name) {
    case 'can-connect-to-database':
      return execute(String(url), 'SELECT 1', 'Connection successful')
    case 'create-database':
      return execute(maintenance, `CREATE DATABASE ${quoted}`, 'Database created')
    case 'drop-database':
      return execute(maintenance, `DROP DATABASE ${quoted} WITH (FORCE)`, 'The database was successfully dropped.')
    default:
      throw new Error(`the WebAssembly schema engine has no command ${name}`)
  }
}

/** The URL's database, and the one from which it can be created. */
function targets(): { maintenance: string; database: string } {
  if (!url) throw new Error('no database URL: set DATABASE_URL')
  const maintenance = new URL(url)
  const database = decodeURIComponent(maintenance.pathname.slice(1))
  maintenance.pathname = '/postgres'
  maintenance.search = ''
  return { maintenance: maintenance.href, database }
}

async function execute(connectionString: string, sql: string, outcome: string): Promise<string> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(sql)
    return outcome
  } finally {
    await client.end()
  }
}

/** Answers requests in their order, until the CLI closes the input. */
function serve(): void {
  let last: Promise<void> = Promise.resolve()
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const request = JSON.parse(line) as Request
    // Without a method: the CLI's thanks for our own `print`.
    if (request.method) last = last.then(() => respond(request))
  })
  lines.on('close', () => last.then(() => process.exit(0)))
}

async function respond({ id, method, params }: Request): Promise<void> {
  try {
    send({ id, result: (await call({ id, method: String(method), params })) ?? null })
  } catch (error) {
    const { code, meta = null } = error as { code?: string; meta?: unknown }
    const data = { is_panic: false, message: describe(error), error_code: code, meta }
    send({ id, error: { code: 4466, message: 'An error happened. Check the data field for details.', data } })
  }
}

async function call({ id, method, params }: { id: number; method: string; params: unknown }): Promise<unknown> {
  if (method === 'createDatabase') {
    await administer('create-database')
    return { databaseName: targets().database }
  }
  const engine = await engineFor(method, params)
  if (method === 'diff') {
    const diff = params as Parameters<SchemaEngine['diff']>[0]
    const { stdout, ...result } = await engine.diff({ shadowDatabaseUrl: null, ...diff } as typeof diff)
    if (stdout) send({ id: 1_000_000 + id, method: 'print', params: { content: stdout } })
    return result
  }
  const answer = engine[(method === 'getDatabaseVersion' ? 'version' : method) as 'reset']
  if (typeof answer !== 'function') throw new Error(`the WebAssembly schema engine has no method ${method}`)
  return answer.call(engine, params as Parameters<typeof answer>[0])
}

let engine: Promise<SchemaEngine> | undefined

function engineFor(method: string, params: unknown): Promise<SchemaEngine> {
  const offline = !url || (method === 'diff' && comparesFiles(params))
  const models = options.datamodels as string[]
  const datamodels = models.map((path): SchemaFile => [path, readFileSync(path, 'utf8')])
  engine ??= openEngine({
    factory: offline ? noDatabase() : postgres(String(url)),
    datamodels: datamodels.length > 0 ? datamodels : undefined,
  }).then((opened) => opened.engine)
  return engine
}

function comparesFiles(params: unknown): boolean {
  const { from, to } = params as Parameters<SchemaEngine['diff']>[0]
  return [from, to].every(({ tag }) => tag === 'empty' || tag === 'schemaDatamodel')
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

function log(level: 'INFO' | 'ERROR', fields: object): void {
  const line = { timestamp: new Date().toISOString(), level, fields, target: 'schema_engine::logger' }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

function describe(error: unknown): string {
  return error instanceof Error && error.message ? error.message : String(error)
}

/** Prisma's code for what PostgreSQL or the network said. */
function errorCode(error: unknown): string {
  switch ((error as { code?: string }).code) {
    case '3D000':
      return 'P1003'
    case '28P01':
    case '28000':
      return 'P1000'
    default:
      return 'P1001'
  }
}
