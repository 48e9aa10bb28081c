import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Pkcs11Kms, type Pkcs11Module, pkcs11Kms } from 'fieldseal/pkcs11'
import type { DekIdentity, WrappedDek } from '../src/keys/kms.js'
import { findSoftHsm } from '../test/kms/pkcs11/softhsm.js'

const [TOKEN, PIN, KEY] = ['bench', '1234', 'bench']
const [DEKS, SECONDS, AT_ONCE] = [1_000, 5, 64]

interface Wrapped {
  readonly identity: DekIdentity
  readonly wrapped: WrappedDek
}

/** Unwraps a second by SoftHSM, and how long the event loop is blocked at a stretch meanwhile. */
export async function pkcs11(): Promise<void> {
  const found = findSoftHsm()
  if ('missing' in found) return console.log(`PKCS#11: not measured. ${found.missing}`)
  const folder = mkdtempSync(join(tmpdir(), 'bench-softhsm-'))
  try {
    createToken(folder)
    const { PKCS11 } = createRequire(import.meta.url)(found.pkcs11js) as { PKCS11: new () => LoadedModule }
    const module = new PKCS11()
    module.load(found.library)
    createKey(module)
    await nothing()
    for (const sessions of [1, 2, 4]) {
      const kms = pkcs11Kms({ pkcs11: module, token: TOKEN, pin: PIN, keyId: KEY, sessions })
      console.log(`PKCS#11 (SoftHSM), ${sessions} sessions: ${await measure(kms)}`)
      await kms.close()
    }
    module.C_Finalize()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface LoadedModule extends Pkcs11Module {
  load(library: string): void
  C_Finalize(): void
  C_GenerateKey(session: Buffer, mechanism: object, template: object[]): Buffer
}

function createToken(folder: string): void {
  mkdirSync(join(folder, 'tokens'))
  process.env.SOFTHSM2_CONF = join(folder, 'softhsm2.conf')
  const configuration = `directories.tokendir = ${join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`
  writeFileSync(process.env.SOFTHSM2_CONF, configuration)
  const args = ['--init-token', '--free', '--label', TOKEN, '--pin', PIN, '--so-pin', '12345678']
  execFileSync('softhsm2-util', args, { stdio: 'ignore' })
}

/** CKM_AES_KEY_GEN, and the attributes of docs/kms/pkcs11.md. */
function createKey(module: LoadedModule): void {
  module.C_Initialize({ flags: 2 })
  const [slot] = module.C_GetSlotList(true) as Buffer[]
  const session = module.C_OpenSession(slot!, 6) as Buffer
  module.C_Login(session, 1, PIN)
  const yes = [0x1, 0x2, 0x103, 0x104, 0x105].map((type) => ({ type, value: true }))
  const rest = [
    { type: 0x3, value: KEY },
    { type: 0x161, value: 32 },
    { type: 0x162, value: false },
  ]
  module.C_GenerateKey(session, { mechanism: 0x1080, parameter: null }, [...yes, ...rest])
  module.C_Logout(session)
  module.C_CloseSession(session)
}

async function measure(kms: Pkcs11Kms): Promise<string> {
  const deks: Wrapped[] = []
  for (let i = 0; i < DEKS; i += 1) {
    const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: `tenant-${i}` }
    const { dek, ...wrapped } = await kms.generate(identity)
    dek.fill(0)
    deks.push({ identity, wrapped })
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const turns = watchTurns()
  delay.enable()
  const { count, seconds } = await unwrapFor(SECONDS, kms, deks)
  delay.disable()
  const rate = Math.round(count / seconds).toLocaleString('en')
  return `${rate} unwraps/s; ${turns.stop()}; 99.9 % of its delays ≤ ${(delay.percentile(99.9) / 1e6).toFixed(1)} ms`
}

async function unwrapFor(seconds: number, kms: Pkcs11Kms, deks: readonly Wrapped[]) {
  const start = performance.now()
  let count = 0
  const one = async () => {
    while (performance.now() - start < seconds * 1_000) {
      const { identity, wrapped } = deks[count % deks.length]!
      count += 1
      const dek = await kms.unwrap(wrapped, identity)
      dek.fill(0)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return { count, seconds: (performance.now() - start) / 1_000 }
}

/** Milliseconds that the main thread has been on a processor; `undefined` where the system does not tell. */
function processorTime(): (() => number) | undefined {
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r')
    const buffer = Buffer.alloc(64)
    return () => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)).split(' ')[0]) / 1e6
  } catch {
    return undefined
  }
}

/** Turns of the event loop: setImmediate is called once in each. Others' use of the machine is in time, not in processor time. */
function watchTurns() {
  const time = { longest: 0, beyond: 0, last: performance.now(), now: () => performance.now() }
  const processor = processorTime()
  const clocks = processor ? [time, { longest: 0, beyond: 0, last: processor(), now: processor }] : [time]
  let on = true
  const turn = () => {
    for (const clock of clocks) {
      const now = clock.now()
      clock.longest = Math.max(clock.longest, now - clock.last)
      if (now - clock.last > 5) clock.beyond += 1
      clock.last = now
    }
    if (on) setImmediate(turn)
  }
  setImmediate(turn)
  return {
    stop: () => {
      on = false
      const [all, own] = clocks.map(({ longest, beyond }) => `${longest.toFixed(1)} ms (${beyond} times > 5 ms)`)
      return `the longest stretch of the event loop ${all}${own ? `, ${own} of processor time` : ''}`
    },
  }
}

/** What the machine makes of an event loop that does nothing else, in the same time. */
async function nothing(): Promise<void> {
  const turns = watchTurns()
  await sleep(SECONDS * 1_000)
  console.log(`nothing at all: ${turns.stop()}`)
}
