import pg from 'pg'
import { type PostgresServer, startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { cleanUpLater } from '../../scripts/lib/janitor.js'
import { startDockerPostgres } from './dockerPostgres.js'

const KINDS = ['url', 'docker', 'embedded'] as const
type Kind = (typeof KINDS)[number]

/** The databases of one test run are those whose name starts with its prefix. */
export interface ServerOptions {
  readonly prefix: string
}

/**
 * The PostgreSQL of a test run: TEST_DATABASE_URL if set, else a container where Docker answers, else an embedded one.
 * FIELDSEAL_TEST_DATABASE (`url`, `docker` or `embedded`) forces one.
 */
export async function startDatabaseServer(options: ServerOptions): Promise<PostgresServer> {
  const forced = process.env.FIELDSEAL_TEST_DATABASE
  if (forced) return startKind(knownKind(forced), options)
  if (process.env.TEST_DATABASE_URL) return startKind('url', options)
  try {
    return await startKind('docker', options)
  } catch (error) {
    const { description, ...server } = await startKind('embedded', options)
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : error
    return { ...server, description: `${description} (no Docker: ${why})` }
  }
}

function knownKind(value: string): Kind {
  const kind = KINDS.find((known) => known === value)
  if (!kind) throw new Error(`FIELDSEAL_TEST_DATABASE is "${value}"; it can be ${KINDS.join(', ')}`)
  return kind
}

function startKind(kind: Kind, options: ServerOptions): Promise<PostgresServer> {
  switch (kind) {
    case 'url':
      return useGivenServer(options)
    case 'docker':
      return startDockerPostgres()
    case 'embedded':
      return startEmbeddedPostgres()
  }
}

async function useGivenServer({ prefix }: ServerOptions): Promise<PostgresServer> {
  const url = process.env.TEST_DATABASE_URL
  if (!url) throw new Error('set TEST_DATABASE_URL to a PostgreSQL whose user may create databases')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.end()
  const { stop } = cleanUpLater({ kind: 'databases', url, prefix })
  const { host, pathname } = new URL(url)
  return { url, description: `TEST_DATABASE_URL, ${host}${pathname}`, stop }
}
