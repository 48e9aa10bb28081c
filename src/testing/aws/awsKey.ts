import { randomBytes, randomUUID } from 'node:crypto'

/** docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
export type AwsKeyState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'Unavailable'

/** One version of what a key encrypts with. */
export interface KeyMaterial {
  /** 64 hexadecimal digits, as answers name it. */
  readonly id: string
  readonly bytes: Buffer
}

export const KEY_SPECS = ['SYMMETRIC_DEFAULT', 'RSA_2048', 'HMAC_256', 'ECC_NIST_P256'] as const
export const KEY_USAGES = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'] as const
export const ORIGINS = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const

/** What somebody wants to do with a key. */
export interface KeyUse {
  /** `kms:Decrypt`, … */
  readonly permission: string
  /** The account that asks. */
  readonly accountId: string
  readonly encryptionContext: { readonly [name: string]: string }
}

/** Decides in place of the policy of a key; the statements of the credential must allow it as well. */
export type KeyPolicy = (use: KeyUse) => boolean

/** A KMS key of one region, with all versions of its key material, oldest first. */
export interface AwsKey {
  readonly keyId: string
  readonly arn: string
  readonly region: string
  /** Of a multi-Region key; a replica shares the materials of its primary. */
  readonly primaryRegion: string | undefined
  readonly spec: (typeof KEY_SPECS)[number]
  readonly usage: (typeof KEY_USAGES)[number]
  readonly origin: (typeof ORIGINS)[number]
  readonly materials: KeyMaterial[]
  /** Without one, all of its own account may use it, and nobody else. No state file keeps it. */
  policy: KeyPolicy | undefined
  description: string
  state: AwsKeyState
  /** Milliseconds since the epoch, as are the others. */
  readonly createdAt: number
  deletionDate: number | undefined
  /** Days; `undefined` while the key is not rotated by itself. */
  rotationPeriod: number | undefined
  nextRotation: number | undefined
  onDemandRotations: number
}

/** What the key of a new `AwsKey` is. */
export interface NewAwsKey {
  readonly keyId?: string | undefined
  readonly description?: string | undefined
  readonly multiRegion?: boolean | undefined
  readonly spec?: AwsKey['spec'] | undefined
  readonly usage?: AwsKey['usage'] | undefined
  readonly origin?: AwsKey['origin'] | undefined
  readonly policy?: KeyPolicy | undefined
}

/** Where a key is. */
export interface AwsPlace {
  readonly accountId: string
  readonly region: string
}

export function newAwsKey(place: AwsPlace, options: NewAwsKey, now: number): AwsKey {
  const { multiRegion = false, description = '', spec = 'SYMMETRIC_DEFAULT', origin = 'AWS_KMS' } = options
  const keyId = options.keyId ?? (multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID())
  const imported = origin === 'EXTERNAL'
  return {
    keyId,
    arn: keyArn(place, keyId),
    region: place.region,
    primaryRegion: multiRegion ? place.region : undefined,
    spec,
    usage: options.usage ?? 'ENCRYPT_DECRYPT',
    origin,
    materials: imported ? [] : [newMaterial()],
    policy: options.policy,
    description,
    state: imported ? 'PendingImport' : 'Enabled',
    createdAt: now,
    deletionDate: undefined,
    rotationPeriod: undefined,
    nextRotation: undefined,
    onDemandRotations: 0,
  }
}

/** A key of another region with the same id and, now and after each rotation, the same materials. */
export function replicaOf(primary: AwsKey, place: AwsPlace, description: string, now: number): AwsKey {
  const own = { region: place.region, arn: keyArn(place, primary.keyId), description, createdAt: now }
  return {
    ...primary,
    ...own,
    state: 'Enabled',
    deletionDate: undefined,
    rotationPeriod: undefined,
    nextRotation: undefined,
  }
}

export function newMaterial(): KeyMaterial {
  return { id: randomBytes(32).toString('hex'), bytes: randomBytes(32) }
}

export function keyArn({ region, accountId }: AwsPlace, keyId: string): string {
  return `arn:aws:kms:${region}:${accountId}:key/${keyId}`
}

export function aliasArn({ region, accountId }: AwsPlace, name: string): string {
  return `arn:aws:kms:${region}:${accountId}:${name}`
}
