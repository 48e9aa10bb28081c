import { setTimeout } from 'node:timers/promises'
import type { Fault } from 'fieldseal/testing'
import { AMONG_OTHERS } from './kms.js'
import type { Vendor } from './vendors.js'
import type { ChaosWorld } from './world.js'

/** How a KMS is down. */
const OUTAGES: { readonly [kind: string]: Fault } = {
  'is not reached': { kind: 'hangUp', when: 'before', times: 'always' },
  'cuts its answers': { kind: 'hangUp', when: 'body', times: 'always' },
  'does not answer': { kind: 'hold', times: 'always' },
  'stalls in its answers': { kind: 'stall', times: 'always' },
  'is behind a broken gateway': { kind: 'status', status: 503, times: 'always' },
}
/** In milliseconds. */
const SHORTEST = 1_000
const LONGEST = 3_000

/**
 * Each KMS is down by turns, one at a time. Before the next turn, the keys that were made meanwhile get the text of the one
 * that was down, as docs/operations.md tells operators: it has to be in all members what any one is to open.
 *
 * @param told of each outage, when it begins
 */
export async function takeTurns(
  world: ChaosWorld,
  goesOn: () => boolean,
  told: (vendor: string, how: string) => void,
): Promise<void> {
  for (let turn = 0; goesOn(); turn += 1) {
    const vendor = world.vendors[turn % world.vendors.length]!
    const kinds = Object.keys(OUTAGES)
    const kind = kinds[Math.floor(Math.random() * kinds.length)]!
    told(vendor.setup.vendor, kind)
    await beDown(vendor, OUTAGES[kind]!)
    await mend(world, goesOn)
  }
}

async function beDown({ faults }: Vendor, outage: Fault): Promise<void> {
  const back = faults.add(outage)
  await setTimeout(SHORTEST + Math.random() * (LONGEST - SHORTEST))
  back()
  faults.clear()
}

/**
 * A key that a process began to make before the end is in the table a while after it, and longer where the database was
 * away: so until there is nothing to add.
 */
async function mend({ another }: ChaosWorld, goesOn: () => boolean): Promise<void> {
  await setTimeout(AMONG_OTHERS.timeout)
  const client = another({ pool: 2 })
  let whole = false
  while (!whole && goesOn()) {
    await setTimeout(200)
    whole = await rewrapAll(client, goesOn)
  }
  await client.$disconnect()
}

/** Goes on after the last key whenever the database is away; says whether each key was in all members already. */
async function rewrapAll({ $encryption }: ReturnType<ChaosWorld['another']>, goesOn: () => boolean): Promise<boolean> {
  let after: string | undefined
  let whole = true
  while (goesOn()) {
    const onProgress = ({ cursor, outcome }: { readonly cursor: string | undefined; readonly outcome: string }) => {
      after = cursor
      whole &&= outcome === 'unchanged'
    }
    const rewrapping = $encryption.rewrap({
      rate: 1_000,
      concurrency: 4,
      onProgress,
      ...(after !== undefined && { after }),
    })
    const report = await rewrapping.catch(() => undefined)
    if (report) return whole
    await setTimeout(100)
  }
  return false
}
