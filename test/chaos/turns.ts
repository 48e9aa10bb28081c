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
 * @param told of each outage
 */
export async function takeTurns(world: ChaosWorld, goesOn: () => boolean, told: (kind: string) => void): Promise<void> {
  for (let turn = 0; goesOn(); turn += 1) {
    const vendor = world.vendors[turn % world.vendors.length]!
    const kinds = Object.keys(OUTAGES)
    const kind = kinds[Math.floor(Math.random() * kinds.length)]!
    told(`${vendor.setup.vendor} ${kind}`)
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

/** A key that a process began to make before the end is in the table when its calls have ended. */
async function mend({ another }: ChaosWorld, goesOn: () => boolean): Promise<void> {
  await setTimeout(AMONG_OTHERS.timeout + 500)
  const client = another({ pool: 2 })
  let left = true
  while (left && goesOn()) {
    // The database may be away, and the KMS be throttled.
    const report = await client.$encryption.rewrap({ rate: 1_000 }).catch(() => undefined)
    left = report === undefined || report.failed.length > 0
    if (left) await setTimeout(100)
  }
  await client.$disconnect()
}
