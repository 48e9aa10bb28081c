import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forTenant } from 'fieldseal/typeorm'
import type { dataSource } from '../../cli/fixtures/typeorm/dataSource.js'
import { Guest } from '../../cli/fixtures/typeorm/entities.js'
import { type Guests, openGuests } from '../../cli/guests.js'
import type { Ended } from '../../cli/runCommand.js'

type App = typeof dataSource

/** An app with its database, and the operator's shell, in which the steps of a page are played. */
export interface Hotel extends Guests {
  /** Runs a command of a page as a process; files that it names are in a folder of this hotel. */
  command(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended>
  /** The path of such a file. */
  file(name: string): string
  /** The app as a process that has just begun has it. */
  withApp<T>(work: (app: App) => Promise<T>): Promise<T>
  /** How many guests of a tenant the app finds by this address. */
  found(tenant: string, email: string): Promise<number>
  add(tenant: string, email: string): Promise<unknown>
  /** The rows of the keys table, such as `ritz encrypt 1 active`. */
  keys(): Promise<string[]>
}

/** @param count of guests, who are in plaintext at first; every second one is at the ritz, the others at the adlon */
export async function openHotel(count: number, server?: string): Promise<Hotel> {
  const guests = await openGuests(count, server)
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-runbook-'))
  const file = (name: string) => join(folder, name)
  return {
    ...guests,
    file,
    command: (args, env = {}) =>
      guests.start(env, ...args.map((arg) => (arg.endsWith('.jsonl') ? file(arg) : arg))).ended,
    withApp,
    found: (tenant, email) =>
      withApp(async (app) => (await forTenant(app, tenant).getRepository(Guest).findBy({ email })).length),
    add: (tenant, email) =>
      withApp((app) => forTenant(app, tenant).getRepository(Guest).save({ hotel: tenant, email })),
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

async function withApp<T>(work: (app: App) => Promise<T>): Promise<T> {
  const { dataSource: app } = await import('../../cli/fixtures/typeorm/dataSource.js')
  app.setOptions({ dropSchema: false, synchronize: false })
  await app.initialize()
  try {
    return await work(app)
  } finally {
    await app.destroy()
  }
}
