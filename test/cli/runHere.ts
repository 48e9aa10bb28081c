import { PassThrough } from 'node:stream'
import { PrismaPg } from '@prisma/adapter-pg'
import type { FieldEncryptionOptions } from 'fieldseal/prisma'
import type { CommandContext } from '../../src/cli/loadConfig.js'
import { runProgram } from '../../src/cli/program.js'
import { type Migration, TENANTS } from '../maintenance/migration.js'
import { openPool } from '../support/pool.js'
import type { Ended } from './runCommand.js'

/** What the configuration of a command would say. */
export interface Configured {
  readonly client?: Partial<FieldEncryptionOptions>
  readonly tenants?: CommandContext['tenants']
  /** The address of the fixture's database, perhaps for another user. */
  readonly url?: string
}

/**
 * Runs a command in this process, with a client of its own, as a configuration would make it: a process takes a second
 * or two to begin.
 */
export function runHere(migration: Migration, configured: Configured, ...args: string[]): Promise<Ended> {
  return runIn(() => worldOf(migration, configured), ...args)
}

/** The same with whatever a configuration would have opened, which the command closes. */
export async function runIn(open: () => CommandContext, ...args: string[]): Promise<Ended> {
  const [output, errors] = [sink(), sink()]
  let code: number | null = null
  await runProgram(args, {
    stdout: output.stream as unknown as NodeJS.WriteStream,
    stderr: errors.stream,
    stdin: {} as NodeJS.ReadStream,
    env: {},
    openCommandContext: async () => open(),
    exit: (given) => {
      code = given
    },
  })
  return { code, output: output.text(), errors: errors.text() }
}

function worldOf(migration: Migration, { client: options, tenants = TENANTS, url }: Configured): CommandContext {
  const connectionString = url ?? migration.url
  const adapter = new PrismaPg({ connectionString, max: 3 })
  const client = migration.another(options, { adapter })
  const database = openPool(connectionString, { max: 4 })
  return {
    client,
    database,
    tenants,
    queue: noQueue,
    close: async () => void (await Promise.all([client.$disconnect(), database.end()])),
  }
}

export function noQueue(): never {
  throw new Error('workers are processes, which need a configuration')
}

/** A pipe, and what was written into it. */
function sink() {
  const written: string[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk) => written.push(String(chunk)))
  return { stream, text: () => written.join('') }
}
