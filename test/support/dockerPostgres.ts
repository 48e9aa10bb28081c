import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { PostgreSqlContainer } from '@testcontainers/postgresql'
import pg from 'pg'
import { getContainerRuntimeClient, ImageName, Wait } from 'testcontainers'
import { type PostgresServer, tellsOfCut } from '../../scripts/lib/embeddedPostgres.js'
import { cleanUpLater } from '../../scripts/lib/janitor.js'
import { eventually } from './eventually.js'

const LABEL = 'fieldseal.test'
/**
 * The one that testcontainers would set runs a program in the container four times a second for as long as the tests last,
 * which takes a sixth of the machine. Docker kills one that is late; what that leaves becomes a child of the container's first
 * process, PostgreSQL, which takes its end for a crash of its own, and cuts all connections.
 */
const NO_HEALTH_CHECK = { test: ['CMD', 'true'] as ['CMD', string], interval: 24 * 3_600_000 }
const SETTINGS = ['max_connections=500', 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

/**
 * Starts a PostgreSQL container of the image POSTGRES_IMAGE.
 *
 * @throws Error when Docker does not answer within 10 s, or the image cannot be had within 3 min
 */
export async function startDockerPostgres(): Promise<PostgresServer> {
  const image = process.env.POSTGRES_IMAGE ?? 'postgres:17-alpine'
  // Our janitor removes the container; the one that testcontainers would start needs an image of its own.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'
  await pull(image)
  const run = randomUUID()
  const janitor = cleanUpLater({ kind: 'containers', label: `${LABEL}=${run}` })
  try {
    const cuts: string[] = []
    const command = ['postgres', ...SETTINGS.flatMap((setting) => ['-c', setting])]
    const container = await new PostgreSqlContainer(image)
      .withLabels({ [LABEL]: run })
      .withCommand(command)
      .withHealthCheck(NO_HEALTH_CHECK)
      .withLogConsumer((log) => {
        createInterface(log).on('line', (line) => tellsOfCut(line) && cuts.push(line))
      })
      .withWaitStrategy(Wait.forListeningPorts())
      .start()
    const url = container.getConnectionUri()
    await eventually(() => connect(url))
    return { url, description: `docker ${image}`, cuts: async () => cuts, stop: janitor.stop }
  } catch (error) {
    await janitor.stop()
    throw error
  }
}

/** The port is there before the server lets anyone in. */
async function connect(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.end()
}

async function pull(name: string): Promise<void> {
  const docker = await within(10, 'Docker did not answer', getContainerRuntimeClient())
  const image = ImageName.fromString(name)
  if (await docker.image.exists(image)) return
  await within(180, `the image ${name} did not arrive`, docker.image.pull(image))
}

async function within<T>(seconds: number, complaint: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
