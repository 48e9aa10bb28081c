import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { decodeBase64url, lengthPrefixed } from '../crypto/bytes.js'
import { FieldsealError } from '../errors.js'
import type { Dek } from '../keys/dek.js'
import { DekCache } from '../keys/dekCache.js'
import { type Duration, milliseconds } from '../keys/duration.js'
import { encryptionContext } from '../keys/encryptionContext.js'
import { ANY_TENANT, KeyRing } from '../keys/keyRing.js'
import type { KeyStore } from '../keys/keyStore.js'
import type { DekIdentity, Kms, WrappedDek } from '../keys/kms.js'
import type { Observation } from '../keys/observedKms.js'
import type { StoredKms } from '../keys/storedKms.js'

/** Options of `hierarchicalKms`. */
export interface HierarchicalKmsOptions {
  /** Wraps the intermediate keys: `tencentKms(…)`, say. */
  readonly kms: Kms
  /** How many intermediate keys there are, over which tenants are spread evenly; 32 unless given. */
  readonly shards?: number
  /** One intermediate key for each group of tenants instead: the group of a tenant. */
  readonly group?: (tenant: string) => string
  /** The age at which an intermediate key is succeeded by a new one; `'90d'` unless given. */
  readonly rotateAfter?: Duration
  /** How long an intermediate key is used before it is asked for again; 5 minutes unless given. */
  readonly ttl?: Duration
  /** How much longer one may serve while the KMS or the keys table is down; 1 hour unless given. */
  readonly staleFor?: Duration
}

const PREFIX = 'fsw1.'
const [NONCE, DEK, TAG] = [12, 32, 16]
const LABEL = lengthPrefixed('fieldseal/1 wrapped by a key')
/** Begins the tenant of an intermediate key's row. */
const SHARD = '*/'
/** Intermediate keys in memory: all there are, and those before them. */
const HELD = 10_000
const NAMES = ['kms', 'shards', 'group', 'rotateAfter', 'ttl', 'staleFor']

/**
 * DEKs wrapped by a few intermediate keys, which the KMS wraps: a process asks the KMS for those few, and unwraps each
 * tenant's DEK by itself. For very many tenants; docs/scale.md has figures, and what trust it trades. Intermediate keys are
 * rows of the keys table with the purpose `wrap`. A wrapped DEK is `fsw1.` ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖
 * tag(16)), AAD = LP("fieldseal/1 wrapped by a key") ‖ LP(encryption context).
 *
 * @throws FieldsealError `OPTIONS_INVALID`. Its methods throw what the inner KMS does, and `KEY_*` for the rows of
 * intermediate keys.
 * @example
 * ```ts
 * import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
 *
 * const kms = hierarchicalKms({ kms: tencentKms({ client, keyId }), shards: 32 })
 * ```
 */
export function hierarchicalKms(options: HierarchicalKmsOptions): StoredKms {
  const settings = checkedOptions(options)
  const unbound = async (): Promise<never> => {
    throw invalid('works inside fieldEncryption only, which gives it the keys table')
  }
  return {
    name: nameOf(options.kms),
    inner: options.kms,
    generate: unbound,
    unwrap: unbound,
    wrap: unbound,
    rewrap: unbound,
    withStore: (store, observation) => bound(settings, store, observation),
  }
}

interface Settings {
  readonly kms: Kms
  readonly group: (tenant: string) => string
  readonly rotateAfter: number
  readonly ttl: number
  readonly staleFor: number
}

function bound(settings: Settings, store: KeyStore, observation: Observation | undefined): Kms {
  const { kms, group, rotateAfter, ttl, staleFor } = settings
  const cache = new DekCache({ ttl, staleFor, max: HELD })
  const watched = observation && { observation }
  const ring = new KeyRing({ kms, store, cache, rotation: { rotateAfter }, loads: 'wrap', ...watched })
  const active = ({ tenant }: DekIdentity) => {
    const shard = SHARD + group(tenant)
    return ring.cachedActive(shard, 'wrap') ?? ring.active(shard, 'wrap')
  }
  const opener = async ({ kekId }: WrappedDek) => ring.cached(kekId) ?? (await ring.load([kekId], ANY_TENANT))[0]!
  const unwrap = async (wrapped: WrappedDek, identity: DekIdentity) => open(await opener(wrapped), wrapped, identity)
  const wrap = async (dek: Buffer, identity: DekIdentity) => seal(await active(identity), dek, identity)
  return {
    name: nameOf(kms),
    unwrap,
    wrap,
    generate: async (identity) => {
      const dek = randomBytes(DEK)
      return { dek, ...(await wrap(dek, identity)) }
    },
    rewrap: async (wrapped, identity) => {
      if ((await active(identity)).id === wrapped.kekId) return wrapped
      const dek = await unwrap(wrapped, identity)
      try {
        return await wrap(dek, identity)
      } finally {
        dek.fill(0)
      }
    },
  }
}

function nameOf({ name }: Kms): string {
  return `hierarchical:${name}`
}

function aadOf(identity: DekIdentity): Buffer {
  return Buffer.concat([LABEL, lengthPrefixed(encryptionContext(identity))])
}

function seal(by: Dek, dek: Buffer, identity: DekIdentity): WrappedDek {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', by.key, nonce).setAAD(aadOf(identity))
  const body = Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()])
  return { wrapped: PREFIX + body.toString('base64url'), kekId: by.id }
}

function open(by: Dek, { wrapped }: WrappedDek, identity: DekIdentity): Buffer {
  const body = wrapped.startsWith(PREFIX) ? decodeBase64url(wrapped.slice(PREFIX.length)) : null
  if (body?.length !== NONCE + DEK + TAG || !by.tenant.startsWith(SHARD)) throw refused(by.id)
  const decipher = createDecipheriv('aes-256-gcm', by.key, body.subarray(0, NONCE)).setAAD(aadOf(identity))
  decipher.setAuthTag(body.subarray(-TAG))
  const dek = decipher.update(body.subarray(NONCE, -TAG))
  try {
    decipher.final()
    return dek
  } catch {
    dek.fill(0)
    throw refused(by.id)
  }
}

function refused(id: string): FieldsealError {
  const message =
    `The wrapped DEK does not open under the intermediate key ${id}: it was changed, or it belongs to another DEK id, ` +
    'purpose or tenant. Compare its row of the keys table with a backup.'
  return new FieldsealError('KMS_REFUSED', message)
}

function checkedOptions(options: HierarchicalKmsOptions): Settings {
  const { kms, shards = 32, group, rotateAfter = '90d', ttl = '5m', staleFor = '1h' } = options
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(`does not know the option "${unknown}"; it knows ${NAMES.join(', ')}`)
  if (typeof kms?.generate !== 'function' || typeof kms.unwrap !== 'function') throw invalid('needs a "kms"')
  if (!(Number.isInteger(shards) && shards >= 1 && shards <= 4096)) throw invalid('takes 1 to 4,096 "shards"')
  if (group !== undefined && typeof group !== 'function') throw invalid('takes a function of the tenant as "group"')
  if (group && options.shards !== undefined) throw invalid('takes either "shards" or "group"')
  const time = (name: string, given: Duration, least: number): number => {
    const value = milliseconds(given)
    if (value !== undefined && value >= least) return value
    throw invalid(`needs a time such as '5m', or milliseconds, as "${name}"`)
  }
  return {
    kms,
    group: group ?? ((tenant) => shardOf(tenant, shards)),
    rotateAfter: time('rotateAfter', rotateAfter, 1),
    ttl: time('ttl', ttl, 1),
    staleFor: time('staleFor', staleFor, 0),
  }
}

function shardOf(tenant: string, shards: number): string {
  return String(createHash('sha256').update(tenant).digest().readUInt32BE() % shards)
}

function invalid(why: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `hierarchicalKms ${why}.`)
}
