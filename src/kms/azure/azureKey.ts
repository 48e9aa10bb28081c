import { createHash } from 'node:crypto'

/**
 * A key of a Managed HSM, or one version of it, in the form of the SDK's `KeyVaultKey`. It holds no key material and no
 * attributes: a `CryptographyClient` that is made of it asks the service for every operation, and nothing else.
 */
export interface AzureKey {
  /** `https://HSM.managedhsm.azure.net/keys/NAME`, with `/VERSION` at its end for one version. */
  readonly id: string
  readonly name: string
  readonly properties: {
    readonly id: string
    readonly name: string
    readonly vaultUrl: string
    readonly version?: string
  }
}

/** A version of a key, of what is encrypted under it. */
export interface KeyVersion {
  /** Without the version. */
  readonly keyId: string
  /** 32 hexadecimal digits. */
  readonly version: string
}

const KEY_ID = /^https:\/\/[a-z0-9.:[\]-]{1,262}\/keys\/[0-9A-Za-z-]{1,127}$/
const VERSION = /^[0-9a-f]{32}$/
const CHECK_DIGITS = 16

/** Whether a value is the id of a key, without a version, in the one form in which ids are compared. */
export function isAzureKeyId(value: unknown): value is string {
  return typeof value === 'string' && KEY_ID.test(value) && URL.canParse(value) && new URL(value).href === value
}

/** What a client is made of; the newest version where none is given. */
export function azureKeyOf(keyId: string, version?: string): AzureKey {
  const { origin, pathname } = new URL(keyId)
  const name = pathname.split('/')[2]!
  const id = version === undefined ? keyId : kekIdOf({ keyId, version })
  return { id, name, properties: { id, name, vaultUrl: origin, ...(version === undefined ? {} : { version }) } }
}

/** The id of a version, as the keys table has it and as the service's answers name it. */
export function kekIdOf({ keyId, version }: KeyVersion): string {
  return `${keyId}/${version}`
}

/** The parts of such an id; an empty version where it has none. */
export function versionOf(kekId: unknown): KeyVersion {
  if (typeof kekId !== 'string') return { keyId: '', version: '' }
  const end = kekId.lastIndexOf('/')
  const [keyId, version] = [kekId.slice(0, end), kekId.slice(end + 1)]
  return VERSION.test(version) ? { keyId, version } : { keyId: kekId, version: '' }
}

/** Whether a text can be a version. */
export function isVersion(text: string): boolean {
  return VERSION.test(text)
}

/** Ids are compared without case, as the service does: it may answer a name in the case in which the key was made. */
export function sameId(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** Names a version of a key in 16 hexadecimal digits, so that a text can say what it is under without a whole address. */
export function checkValueOf(version: KeyVersion): string {
  return createHash('sha256').update(kekIdOf(version).toLowerCase()).digest('hex').slice(0, CHECK_DIGITS)
}
