import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Fault } from 'fieldseal/testing'
import { headerOfHead, headOf } from '../../src/crypto/ciphertext.js'
import { type AppNews, type AppSetup, nameOf } from './protocol.js'
import { takeTurns } from './turns.js'
import type { Vendor } from './vendors.js'
import type { ChaosWorld } from './world.js'

const program = fileURLToPath(new URL('app.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

const LIMIT = 500
/** Times so short that everything happens often. */
const KEYS = { ttl: 400, staleFor: '1m', rotateAfter: '2s', maxMessages: LIMIT }
/** With several KMSs nothing may be owed to a DEK that is kept for an outage. */
const REDUNDANT_KEYS = { ...KEYS, ttl: 1_000, rotateAfter: '4s', staleFor: 0 }
/** Between two disturbances, in milliseconds. */
const PAUSE = 500
/** The turns are the point there, and most of them would be waiting for the database. */
const REDUNDANT_PAUSE = 1_500
const TENANTS = Array.from({ length: 6 }, (_, i) => `chaos-${i}`)

export interface ChaosOptions {
  readonly world: ChaosWorld
  /** At least; of several KMSs each is down once in any case. */
  readonly seconds: number
  readonly processes: number
  readonly say?: (text: string) => void
}

export interface ChaosFigures {
  readonly written: number
  readonly read: number
  readonly faults: { readonly [kind: string]: number }
  /** As the apps saw them, by code. */
  readonly errors: { readonly [code: string]: number }
  /** Errors of the KMS while there are several, of which one at most was down: a healthy one could have prevented them. */
  readonly preventable: readonly string[]
  /** Acknowledged rows that cannot be read back, or hold something else. */
  readonly lost: number
  /** Reads during the run that gave something else. */
  readonly wrong: readonly string[]
  readonly plaintext: number
  readonly keys: number
  /** Tenants and purposes with other than one active key. */
  readonly notOneActive: number
  /** DEKs under which more was encrypted than was reserved, or reserved than is allowed. */
  readonly limitsPassed: number
}

/** Several apps write and read while everything under them fails; then looks at what is left. */
export async function chaos(options: ChaosOptions): Promise<ChaosFigures> {
  const { world, seconds, processes, say } = options
  await world.plain.clinic.createMany({ data: TENANTS.map((id) => ({ id, name: id })) })
  const tally = new Tally()
  const apps = Array.from({ length: processes }, (_, i) => new App(world, tally, i))
  await Promise.all(apps.map((app) => app.start()))
  const end = performance.now() + seconds * 1000
  const wereDown = new Set<string>()
  // Each is down once at least, however short the run is.
  const goesOn = () => performance.now() < end || (wereDown.size > 0 && wereDown.size < world.vendors.length)
  const told = (kind: string) => {
    tally.fault(kind)
    say?.(kind)
  }
  const outage = (vendor: string, how: string) => {
    wereDown.add(vendor)
    told(`${vendor} ${how}`)
  }
  const turns = world.vendors.length > 1 ? takeTurns(world, goesOn, outage) : undefined
  const pause = turns ? REDUNDANT_PAUSE : PAUSE
  while (goesOn()) {
    await disturb(world, apps, told)
    await setTimeout(pause * (0.2 + Math.random()))
  }
  await turns
  for (const { faults } of world.vendors) faults.clear()
  await setTimeout(1_000)
  await Promise.all(apps.map((app) => app.stop()))
  const preventable = turns ? tally.ofKms : []
  return { ...tally.figures, preventable, ...(await inspect(world, tally)) }
}

class Tally {
  readonly rows: (readonly [string, number])[] = []
  readonly faults: { [kind: string]: number } = {}
  readonly errors: { [code: string]: number } = {}
  readonly wrong: string[] = []
  readonly ofKms: string[] = []
  read = 0

  hear(news: AppNews): void {
    this.rows.push(...news.written)
    this.wrong.push(...news.wrong)
    this.ofKms.push(...news.ofKms)
    this.read += news.read
    for (const [code, count] of Object.entries(news.errors)) this.errors[code] = (this.errors[code] ?? 0) + count
  }

  fault(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1
  }

  get figures() {
    const { rows, read, faults, errors, wrong } = this
    return { written: rows.length, read, faults, errors, wrong }
  }
}

/** An app in a process of its own, which is started anew when it is killed. */
class App {
  #child: ChildProcess | undefined
  #generation = 0

  constructor(
    private readonly world: ChaosWorld,
    private readonly tally: Tally,
    private readonly number: number,
  ) {}

  async start(): Promise<void> {
    const { url, kms } = this.world
    const from = (this.number * 1_000 + this.#generation) * 100_000
    this.#generation += 1
    const setup: AppSetup = { url, kms, tenants: TENANTS, from, keys: keysFor(this.world) }
    const child = fork(program, [JSON.stringify(setup)], { cwd: root, execArgv: ['--import', 'tsx'], silent: true })
    const printed: string[] = []
    child.stderr?.on('data', (chunk) => printed.push(String(chunk)))
    child.on('message', (news) => news !== 'done' && this.tally.hear(news as AppNews))
    this.#child = child
    const first = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (typeof first[0] !== 'object') throw new Error(`an app ended before it began: ${printed.join('')}`)
  }

  async kill(): Promise<void> {
    const child = this.#child!
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    const child = this.#child!
    const done = new Promise<void>((resolve) => child.on('message', (news) => news === 'done' && resolve()))
    const gone = once(child, 'exit')
    child.send('stop')
    await done
    child.disconnect()
    await gone
  }
}

function keysFor({ vendors }: ChaosWorld) {
  return vendors.length > 1 ? REDUNDANT_KEYS : KEYS
}

/** Of a KMS that is alone. */
const FAULTS: { readonly [kind: string]: Fault } = {
  'KMS throttles': { kind: 'error', code: 'RequestLimitExceeded', times: 30 },
  'KMS hangs up': { kind: 'hangUp', when: 'before', times: 10 },
  'KMS hangs up in its answer': { kind: 'hangUp', when: 'body', times: 10 },
  'KMS is late': { kind: 'delay', ms: 300, times: 20 },
  'KMS stalls': { kind: 'stall', times: 5 },
  'KMS has internal errors': { kind: 'error', code: 'InternalError', times: 20 },
}

async function disturb(world: ChaosWorld, apps: readonly App[], told: (kind: string) => void): Promise<void> {
  const [vendor] = world.vendors
  const alone = world.vendors.length === 1
  const faults = alone ? FAULTS : {}
  const others: { readonly [kind: string]: () => Promise<void> } = {
    ...(alone && { 'KMS goes away': () => away(vendor!) }),
    'database restarts': () => world.restart('fast'),
    'database crashes': () => world.restart('immediate'),
    'keys rotate': () => rotate(world),
    'process dies': () => replace(apps[Math.floor(Math.random() * apps.length)]!),
  }
  const kinds = [...Object.keys(faults), ...Object.keys(others)]
  const kind = kinds[Math.floor(Math.random() * kinds.length)]!
  told(kind)
  const fault = faults[kind]
  if (fault) vendor!.faults.add(fault)
  else await others[kind]!()
}

async function away({ faults }: Vendor): Promise<void> {
  const back = faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
  await setTimeout(1_500)
  back()
}

/** Whatever stands against it, is part of the chaos. */
async function rotate(world: ChaosWorld): Promise<void> {
  const client = world.another({ pool: 2, keys: keysFor(world) })
  await client.$encryption.rotate({ tenants: TENANTS }).catch(() => undefined)
  await client.$disconnect()
}

async function replace(app: App): Promise<void> {
  await app.kill()
  await app.start()
}

async function inspect({ another, plain }: ChaosWorld, tally: Tally) {
  const client = another()
  const values = new Map<string, string>()
  for (const clinicId of TENANTS) {
    for (const { number, name } of await client.$forTenant(clinicId).patient.findMany({ where: { clinicId } })) {
      values.set(`${clinicId} ${number}`, name)
    }
  }
  const lost = tally.rows.filter(([tenant, number]) => values.get(`${tenant} ${number}`) !== nameOf(tenant, number))
  const stored = await plain.patient.findMany({ select: { name: true, email: true } })
  const cells = stored.flatMap(({ name, email }) => [name, email ?? ''])
  const keys = await plain.encryptionKey.findMany()
  const active = new Map<string, number>()
  for (const { tenant, purpose, state } of keys) {
    const slot = `${purpose} ${tenant}`
    active.set(slot, (active.get(slot) ?? 0) + (state === 'active' ? 1 : 0))
  }
  const used = new Map<string, number>()
  for (const cell of cells) {
    const head = headOf(cell)
    const id = head === null ? 'none' : headerOfHead(head)!.dekId
    used.set(id, (used.get(id) ?? 0) + 1)
  }
  const passed = keys.filter(({ id, messages, purpose }) => {
    return purpose === 'encrypt' && ((used.get(id) ?? 0) > Number(messages) || Number(messages) > LIMIT)
  })
  return {
    lost: lost.length,
    plaintext: used.get('none') ?? 0,
    keys: keys.length,
    notOneActive: [...active.values()].filter((count) => count !== 1).length,
    limitsPassed: passed.length,
  }
}
