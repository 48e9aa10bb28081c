import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DataSourceEncryptionOptions, encryptionOf, forTenant } from 'fieldseal/typeorm'
import { type Guests, openGuests } from '../../cli/guests.js'
import type { Ended } from '../../cli/runCommand.js'
import { onTestFinished } from '../../support/onTestFinished.js'

/** A process of the app: it keeps the keys in memory that it has used. */
export interface Process {
  /** How many guests of a tenant it finds by this address. */
  found(tenant: string, email: string): Promise<number>
  add(tenant: string, email: string): Promise<void>
  /** The addresses of all guests of a tenant. */
  read(tenant: string): Promise<string[]>
  readonly encryption: ReturnType<typeof encryptionOf>
}

/** An app with its database, and the operator's shell, in which the steps of a page are played. */
export interface Hotel extends Guests, Omit<Process, 'encryption'> {
  /** Runs a command of a page; files that it names are in a folder of this hotel. */
  command(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  /** The path of such a file. */
  file(name: string): string
  /** A process that goes on until the test is over. */
  process(options?: { readonly url?: string; readonly keys?: DataSourceEncryptionOptions['keys'] }): Promise<Process>
  /** What one does that has just begun, and has no key in memory. */
  inNewProcess<T>(work: (process: Process) => Promise<T>): Promise<T>
  /** The rows of the keys table, such as `ritz encrypt 1 active`. */
  keys(): Promise<string[]>
}

/** @param count of guests, who are in plaintext at first; every second one is at the ritz, the others at the adlon */
export async function openHotel(count: number, server?: string): Promise<Hotel> {
  const guests = await openGuests(count, server)
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-runbook-'))
  const file = (name: string) => join(folder, name)
  const inNewProcess = async <T>(work: (process: Process) => Promise<T>) => {
    const { process, close } = await openProcess(guests.url)
    return work(process).finally(close)
  }
  return {
    ...guests,
    file,
    command: (args, env = {}) =>
      guests.start(env, ...args.map((arg) => (arg.endsWith('.jsonl') ? file(arg) : arg))).ended,
    async process({ url = guests.url, keys } = {}) {
      const { process, close } = await openProcess(url, keys)
      onTestFinished(close)
      return process
    },
    inNewProcess,
    found: (tenant, email) => inNewProcess((process) => process.found(tenant, email)),
    add: (tenant, email) => inNewProcess((process) => process.add(tenant, email)),
    read: (tenant) => inNewProcess((process) => process.read(tenant)),
    async keys() {
      const { rows } = await guests.pool.query(
        'SELECT tenant, purpose, version, state FROM encryption_keys ORDER BY 1, 2, 3',
      )
      return rows.map(({ tenant, purpose, version, state }) => `${tenant} ${purpose} ${version} ${state}`)
    },
    async close() {
      rmSync(folder, { recursive: true, force: true })
      await guests.close()
    },
  }
}

async function openProcess(url: string, keys?: DataSourceEncryptionOptions['keys']) {
  // What they declare depends on variables, which a test may set first.
  const { openDataSource } = await import('../../cli/fixtures/typeorm/dataSource.js')
  const { Guest } = await import('../../cli/fixtures/typeorm/entities.js')
  const dataSource = await openDataSource(url, keys)
  const guestsOf = (tenant: string) => forTenant(dataSource, tenant).getRepository(Guest)
  const encryption = encryptionOf(dataSource)
  const process: Process = {
    found: async (tenant, email) => (await guestsOf(tenant).findBy({ email })).length,
    add: async (hotel, email) => void (await guestsOf(hotel).save({ hotel, email })),
    read: async (hotel) =>
      (await guestsOf(hotel).find({ where: { hotel }, order: { id: 'ASC' } })).map(({ email }) => email),
    encryption,
  }
  return { process, close: () => dataSource.destroy() }
}
