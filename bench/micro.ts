import { execFileSync, spawnSync } from 'node:child_process'
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { localKms } from 'fieldseal/local-kms'
import { encryptionSchema } from '../generated/bench/encryption/index.js'
import { ambientBinding } from '../src/client/clientBinding.js'
import type { ClientContext } from '../src/client/clientContext.js'
import { tenantFormOf } from '../src/client/tenantForm.js'
import { aadOf } from '../src/crypto/aad.js'
import { randomNonces } from '../src/crypto/aead.js'
import { blindIndexes, indexPrefix } from '../src/crypto/blindIndex.js'
import { chooseEngine } from '../src/crypto/chooseEngine.js'
import type { IndexKey, ValueKey } from '../src/crypto/engine.js'
import { encodeHeader } from '../src/crypto/header.js'
import { DekCache } from '../src/keys/cache/dekCache.js'
import { Dek } from '../src/keys/dek.js'
import { KeyRing } from '../src/keys/keyRing.js'
import type { KeyStore } from '../src/keys/keyStore.js'
import { compilePlans } from '../src/plan/compilePlans.js'
import { LimitedPlans } from '../src/plan/limitedPlans.js'
import { runOperation } from '../src/prisma/operation.js'
import { toDecimal } from '../src/prisma/read/decimal.js'
import { PRISMA_WORDING } from '../src/prisma/wording.js'
import { jsonValue } from '../src/prisma/write/jsonValue.js'
import { bareDecrypt, bareEncrypt } from './bareLoop.js'
import { interleave, type Spread, spreadOf } from './rounds.js'

/* Values without a database: what one costs in a batch, and what very many in one result do to the event loop. */

const COUNT = 1024
const TEXTS = Array.from({ length: COUNT }, (_, i) => `\0value ${i} `.padEnd(48, 'lorem ipsum dolor '))
const HEADER = encodeHeader({ suite: 1, flags: 0, dekId: randomUUID() })
const AAD = aadOf(HEADER, 'acme', 'Note.a')

function keyOf(engine: 'native' | 'node'): ValueKey {
  const bytes = randomBytes(32)
  return chooseEngine(engine).open(createSecretKey(bytes), bytes)
}

function indexKeyOf(engine: 'native' | 'node'): IndexKey {
  const bytes = randomBytes(32)
  return chooseEngine(engine).openIndex(createSecretKey(bytes), bytes)
}

function texts(indexes: readonly Buffer[]): string[] {
  return indexes.map((index) => index.toString('base64url'))
}

function workOf(key: ValueKey) {
  const place = key.place({ header: HEADER, form: 'text', aad: AAD, padded: false, codec: 0 })
  const places = TEXTS.map(() => place)
  const encrypt = () => key.encrypt({ places, bound: undefined, plaintexts: TEXTS, nonces: randomNonces(COUNT) })
  const stored = encrypt()
  const decrypt = () => key.decrypt({ places, bound: undefined, stored })
  return { encrypt, decrypt }
}

/** Microseconds for each value of 48 bytes. */
export async function perValue(budget: number): Promise<{ readonly [name: string]: Spread }> {
  const native = workOf(keyOf('native'))
  const node = workOf(keyOf('node'))
  const stored = TEXTS.map(bareEncrypt)
  const prefix = indexPrefix(['Contact.email'], { bits: 128, normalize: [] })
  const openssl = bareOpenssl()
  const contenders: { [name: string]: { run: () => unknown } } = {
    'native decrypt': { run: native.decrypt },
    'node decrypt': { run: node.decrypt },
    'bare loop decrypt': { run: () => stored.map(bareDecrypt) },
    'native encrypt': { run: native.encrypt },
    'node encrypt': { run: node.encrypt },
    'bare loop encrypt': { run: () => TEXTS.map(bareEncrypt) },
    'native blind index': { run: () => texts(blindIndexes(indexKeyOf('native'), prefix, TEXTS, 128)) },
    'node blind index': { run: () => texts(blindIndexes(indexKeyOf('node'), prefix, TEXTS, 128)) },
  }
  if (openssl) {
    contenders['bare OpenSSL decrypt'] = { run: () => openssl.run(COUNT, true) }
    contenders['bare OpenSSL encrypt'] = { run: () => openssl.run(COUNT, false) }
  }
  try {
    const { wall } = await interleave(contenders, { budget, fewest: 30, most: 400 })
    const each = Object.entries(wall).map(([name, values]) => [name, spreadOf(values.map((ms) => (ms * 1000) / COUNT))])
    return Object.fromEntries(each)
  } finally {
    openssl?.remove()
  }
}

/** The OpenSSL inside Node.js without JavaScript, where there is a compiler. */
function bareOpenssl() {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-bare-'))
  const remove = () => rmSync(folder, { recursive: true })
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const env = { ...process.env, ADDON_SOURCE: path('bare.c'), ADDON_OUT: folder }
  if (spawnSync(process.execPath, [path('../scripts/build-addon.mjs')], { env }).status !== 0) {
    remove()
    return undefined
  }
  const module = { exports: {} as { run(count: number, decrypt: boolean): number } }
  process.dlopen(module, join(folder, 'fieldseal.node'))
  return { run: module.exports.run, remove }
}

/** What `openssl speed` says of 48 bytes, in microseconds, where there is an openssl. */
export function opensslSpeed(): { readonly [name: string]: number } {
  try {
    const speed = (...args: string[]) => {
      const options = ['speed', '-mr', '-seconds', '1', '-bytes', '48', ...args]
      const lines = execFileSync('openssl', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      const bytesPerSecond = Number(lines.match(/^\+(?:F|H):.*:([\d.]+)$/m)?.[1])
      return 48e6 / bytesPerSecond
    }
    return { 'aes-256-gcm': speed('-evp', 'aes-256-gcm', '-decrypt'), 'hmac sha256': speed('-hmac', 'sha256') }
  } catch {
    return {}
  }
}

export interface Pass {
  readonly values: number
  /** Microseconds. */
  readonly perValue: Spread
  /** The longest time, in milliseconds, for which nothing else on the event loop had its turn. */
  readonly blocked: Spread
}

/** Results of so many values, six fields to a row, with the keys in memory: what is done to them after the query. */
export async function passes(engine: 'native' | 'node', counts: readonly number[], rounds: number): Promise<Pass[]> {
  const dek = new Dek({ key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }, randomBytes(32), chooseEngine(engine))
  const context = contextWith(dek)
  const measured = new Map(counts.map((count) => [count, { each: [] as number[], blocked: [] as number[] }]))
  for (let round = -1; round < rounds; round++) {
    for (const count of counts) {
      const { ms, blocked } = await timeResult(rowsOf(context, dek, count), context)
      if (round < 0) continue
      measured.get(count)!.each.push((ms * 1000) / count)
      measured.get(count)!.blocked.push(blocked)
    }
  }
  return Array.from(measured, ([values, { each, blocked }]) => ({
    values,
    perValue: spreadOf(each),
    blocked: { ...spreadOf(blocked), high: Math.max(...blocked) },
  }))
}

/** Of a client that has this DEK in memory, and no other. */
function contextWith(dek: Dek): ClientContext {
  const plans = compilePlans(encryptionSchema, { toDecimal })
  const none = () => {
    throw new Error('everything should be in memory')
  }
  const store = { find: none, active: none, list: none, count: none } as unknown as KeyStore
  const cache = new DekCache({ ttl: 3_600_000, max: 10 })
  cache.add(dek)
  return {
    plans,
    limited: new LimitedPlans(plans, none),
    ring: new KeyRing({ kms: localKms({ key: 'ab'.repeat(32) }), store, cache }),
    clientBinding: ambientBinding,
    tenancy: { defaultTenant: dek.tenant, form: tenantFormOf(encryptionSchema), wording: PRISMA_WORDING },
    transactionWait: 1_000,
    keyStoreWaits: () => false,
    auditTrail: undefined,
    plainValue: jsonValue,
  }
}

type Row = Record<string, unknown>

/** As a query gives them. */
function rowsOf({ plans }: ClientContext, dek: Dek, count: number): Row[] {
  const fields = plans.get('Note')!.encrypted
  const rows = Math.ceil(count / fields.length)
  const columns = fields.map((field) => {
    const plaintexts = Array.from({ length: rows }, (_, i) => `\0value ${i} `.padEnd(48, 'lorem ipsum '))
    const places = plaintexts.map(() => dek.place(field, false))
    return dek.values!.encrypt({ places, bound: undefined, plaintexts, nonces: randomNonces(rows) })
  })
  return Array.from({ length: rows }, (_, id) => {
    const row: Row = { id, tenant: dek.tenant, folderId: null }
    fields.forEach(({ field }, i) => {
      row[field] = columns[i]![id]
    })
    return row
  })
}

async function timeResult(rows: Row[], context: ClientContext): Promise<{ ms: number; blocked: number }> {
  let blocked = 0
  let done = false
  let last = performance.now()
  const look = () => {
    const now = performance.now()
    blocked = Math.max(blocked, now - last)
    last = now
    if (!done) setImmediate(look)
  }
  setImmediate(look)
  const query = async () => rows
  const start = performance.now()
  last = start
  await runOperation(context, { model: 'Note', operation: 'findMany', args: {}, query })
  const ms = performance.now() - start
  done = true
  look()
  return { ms, blocked }
}
