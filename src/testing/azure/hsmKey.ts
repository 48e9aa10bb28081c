import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { badParameter } from './azureApiError.js'

/** learn.microsoft.com/azure/key-vault/managed-hsm/about-keys */
export type HsmKeyType = 'oct-HSM' | 'RSA-HSM' | 'EC-HSM'

/** One version of a key. Times are seconds since the epoch. */
export interface HsmKeyVersion {
  /** 32 hexadecimal digits. */
  readonly version: string
  /** The key itself of `oct-HSM`, else PKCS#8. */
  readonly material: Buffer
  readonly created: number
  updated: number
  enabled: boolean
  notBefore?: number | undefined
  expires?: number | undefined
  operations: readonly string[]
}

/** A key of the HSM with all its versions, oldest first. */
export interface HsmKey {
  readonly name: string
  readonly type: HsmKeyType
  /** Bits. */
  readonly size: number
  readonly versions: HsmKeyVersion[]
  /** When it was deleted, softly. */
  deleted?: number | undefined
}

export interface NewHsmKey {
  readonly name: string
  /** `oct-HSM` unless given. */
  readonly type?: HsmKeyType
  /** Bits; 256 of `oct-HSM`, 2048 of `RSA-HSM` unless given. */
  readonly size?: number
  /** `key_ops`; all of the type unless given. */
  readonly operations?: readonly string[]
  readonly enabled?: boolean
  /** Seconds since the epoch. */
  readonly notBefore?: number | undefined
  readonly expires?: number | undefined
}

/** What can be changed of a version. */
export type HsmKeyChange = Partial<Pick<HsmKeyVersion, 'enabled' | 'notBefore' | 'expires' | 'operations'>>

const SIZES: { readonly [type in HsmKeyType]: readonly [usual: number, ...others: number[]] } = {
  'oct-HSM': [256, 128, 192],
  'RSA-HSM': [2048, 3072, 4096],
  'EC-HSM': [256],
}

const OPERATIONS: { readonly [type in HsmKeyType]: readonly string[] } = {
  'oct-HSM': ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'],
  'RSA-HSM': ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
  'EC-HSM': ['sign', 'verify'],
}

/** A key without versions. */
export function newHsmKey({ name, type = 'oct-HSM', size }: NewHsmKey): HsmKey {
  if (!Object.hasOwn(SIZES, type)) throw badParameter(`The key type must be one of ${Object.keys(SIZES).join(', ')}.`)
  const bits = size ?? SIZES[type][0]
  if (!SIZES[type].includes(bits)) throw badParameter(`A key of type ${type} cannot have ${bits} bits.`)
  return { name, type, size: bits, versions: [] }
}

/** The next version of a key. */
export function newVersion(
  key: HsmKey,
  { operations, enabled = true, notBefore, expires }: HsmKeyChange,
  now: number,
): HsmKeyVersion {
  const version = randomUUID().replaceAll('-', '')
  const usual = key.versions.at(-1)?.operations ?? OPERATIONS[key.type]
  const dates = { notBefore, expires }
  return {
    version,
    material: materialOf(key),
    created: now,
    updated: now,
    enabled,
    operations: operations ?? usual,
    ...dates,
  }
}

function materialOf({ type, size }: HsmKey): Buffer {
  if (type === 'oct-HSM') return randomBytes(size / 8)
  const { privateKey } =
    type === 'RSA-HSM'
      ? generateKeyPairSync('rsa', { modulusLength: size })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}

/** As the service shows a key: a JSON Web Key (RFC 7517) without its secret parts, and attributes. */
export function keyBundle(origin: string, { name, type, deleted }: HsmKey, version: HsmKeyVersion): object {
  const kid = `${origin}/keys/${name}/${version.version}`
  const key = { kid, kty: type, key_ops: version.operations, ...publicParts(type, version) }
  const bundle = { key, attributes: attributesOf(version) }
  if (deleted === undefined) return bundle
  const recoveryId = `${origin}/deletedkeys/${name}`
  return { ...bundle, recoveryId, deletedDate: deleted, scheduledPurgeDate: deleted + RETENTION }
}

/** 90 days, in seconds: learn.microsoft.com/azure/key-vault/managed-hsm/soft-delete-overview */
export const RETENTION = 90 * 86_400

/** One of a list of keys or versions. */
export function keyItem(kid: string, version: HsmKeyVersion): object {
  return { kid, attributes: attributesOf(version) }
}

function attributesOf({ enabled, notBefore: nbf, expires: exp, created, updated }: HsmKeyVersion): object {
  const dates = { ...(nbf === undefined ? {} : { nbf }), ...(exp === undefined ? {} : { exp }) }
  return {
    enabled,
    ...dates,
    created,
    updated,
    recoveryLevel: 'Recoverable+Purgeable',
    recoverableDays: 90,
    exportable: false,
  }
}

function publicParts(type: HsmKeyType, { material }: HsmKeyVersion): object {
  if (type === 'oct-HSM') return {}
  const privateKey = createPrivateKey({ key: material, format: 'der', type: 'pkcs8' })
  const { kty: _, ...parts } = createPublicKey(privateKey).export({ format: 'jwk' })
  return parts
}
