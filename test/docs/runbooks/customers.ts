import type { Kms } from '../../../src/keys/kms.js'
import type { Ended } from '../../cli/runCommand.js'
import { runHere } from '../../cli/runHere.js'
import { type Migration, plainCustomer } from '../../maintenance/migration.js'
import type { FixtureClient } from '../../prisma/fixtureClient.js'
import { blocksOf, commandsOf } from './runbook.js'

/** The name of a tenant's first customer. */
export const ADA = plainCustomer(1).name

/** Writes a customer of a tenant. */
export function addCustomer(client: FixtureClient, tenantId: string, number = 1): Promise<unknown> {
  return client.$forTenant(tenantId).customer!.create({ data: { ...plainCustomer(number), tenantId } })
}

/** Searches for a tenant's first customer by the e-mail address, and reads the name. */
export async function findAda(client: FixtureClient, tenantId: string): Promise<unknown> {
  const where = { tenantId, email: 'person1@example.com' }
  return (await client.$forTenant(tenantId).customer!.findFirst({ where }))?.name
}

/** The app as a process has it that keeps no key for longer than an operation takes. */
export function forgetfulProcess(migration: Migration, kms: Kms): FixtureClient {
  return migration.another({ kms, keys: { ttl: 1, staleFor: 0 } })
}

/** Runs the commands that a page has under a heading, one after the other, by a process with this KMS. */
export async function playCommands(
  migration: Migration,
  { page, heading, kms }: { readonly page: string; readonly heading: string; readonly kms?: Kms },
  replaced: (arg: string) => string = (arg) => arg,
): Promise<Ended[]> {
  const ended: Ended[] = []
  const blocks = blocksOf(page).filter((block) => block.section === heading && block.language === 'bash')
  for (const args of blocks.flatMap(commandsOf))
    ended.push(await runHere(migration, { client: kms ? { kms } : {} }, ...args.map(replaced)))
  return ended
}

/** What a command prints that has found nothing wrong. */
export const ALL_IS_WELL = { code: 0, errors: '' } as const
