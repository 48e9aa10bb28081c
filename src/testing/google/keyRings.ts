import {
  type CryptoKey,
  type CryptoKeyVersion,
  DESTROY_SCHEDULED_DURATION,
  newVersion,
  type ProtectionLevel,
  type VersionState,
} from './cryptoKey.js'
import { GrpcError } from './grpcError.js'

/** A key ring. */
export interface KeyRing {
  /** Resource name. */
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly createTime: number
  readonly keys: Map<string, CryptoKey>
}

export interface CreateKeyOptions {
  /** `SOFTWARE` unless given. */
  readonly protectionLevel?: ProtectionLevel | undefined
  /** Milliseconds between two rotations; none are scheduled unless given. */
  readonly rotationPeriod?: number | undefined
  /** Milliseconds since the epoch; after one period unless given. */
  readonly nextRotationTime?: number | undefined
  /** Milliseconds; 30 days unless given. */
  readonly destroyScheduledDuration?: number | undefined
  /** Makes the key without a version. */
  readonly withoutVersion?: boolean | undefined
}

const ID = /^[\w-]{1,63}$/
const LOCATION = /^projects\/[^/\s]+\/locations\/[\w-]+$/
const KEY = /^(projects\/[^/\s]+\/locations\/[\w-]+\/keyRings\/[\w-]+)\/cryptoKeys\/[\w-]+$/
const VERSION = /^(.+)\/cryptoKeyVersions\/[1-9]\d*$/

/** The key rings of the emulator with their keys. All names are resource names. */
export class KeyRings {
  readonly #rings = new Map<string, KeyRing>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Oldest first. */
  get list(): readonly KeyRing[] {
    return [...this.#rings.values()]
  }

  /** Of all key rings. */
  get keys(): readonly CryptoKey[] {
    return this.list.flatMap(({ keys }) => [...keys.keys()].map((name) => this.key(name)))
  }

  /** @param location `projects/…/locations/…` */
  createRing(location: string, id: string): KeyRing {
    if (!LOCATION.test(location) || !ID.test(id))
      throw new GrpcError('INVALID_ARGUMENT', 'The key ring has no valid name.')
    const name = `${location}/keyRings/${id}`
    if (this.#rings.has(name)) throw new GrpcError('ALREADY_EXISTS', `KeyRing ${name} already exists.`)
    const ring = { name, createTime: this.#now(), keys: new Map<string, CryptoKey>() }
    this.#rings.set(name, ring)
    return ring
  }

  ring(name: string): KeyRing {
    return this.#rings.get(name) ?? absent('KeyRing', name)
  }

  /** Makes a key with its first version, and the key ring if there is none. */
  create(name: string, options: CreateKeyOptions = {}): CryptoKey {
    const ringName = KEY.exec(name)?.[1]
    if (ringName === undefined) throw new GrpcError('INVALID_ARGUMENT', `${name} is no name of a CryptoKey.`)
    const [location, id] = ringName.split('/keyRings/') as [string, string]
    const ring = this.#rings.get(ringName) ?? this.createRing(location, id)
    if (ring.keys.has(name)) throw new GrpcError('ALREADY_EXISTS', `CryptoKey ${name} already exists.`)
    const key = newKey(name, options, this.#now())
    ring.keys.set(name, key)
    if (!options.withoutVersion) this.rotate(name)
    return key
  }

  /** @throws GrpcError `NOT_FOUND` */
  key(name: string): CryptoKey {
    const key = this.#rings.get(KEY.exec(name)?.[1] ?? '')?.keys.get(name) ?? absent('CryptoKey', name)
    for (const version of key.versions) this.#destroyDue(version)
    while (key.rotationPeriod && (key.nextRotationTime ?? Number.POSITIVE_INFINITY) <= this.#now()) {
      key.nextRotationTime = key.nextRotationTime! + key.rotationPeriod
      key.primary = this.#addVersion(key)
    }
    return key
  }

  version(name: string): CryptoKeyVersion {
    const { versions } = this.key(VERSION.exec(name)?.[1] ?? name)
    return versions.find((version) => version.name === name) ?? absent('CryptoKeyVersion', name)
  }

  addVersion(keyName: string): CryptoKeyVersion {
    return this.#addVersion(this.key(keyName))
  }

  /** New ciphertexts are made with it, older ones stay readable. */
  setPrimary(keyName: string, version: CryptoKeyVersion): CryptoKey {
    const key = this.key(keyName)
    if (version.state !== 'ENABLED' && version.state !== 'DISABLED')
      throw new GrpcError('FAILED_PRECONDITION', `${version.name} is ${version.state}.`)
    key.primary = version
    return key
  }

  /** A new version, which encrypts from now on. */
  rotate(keyName: string): CryptoKeyVersion {
    const version = this.addVersion(keyName)
    this.setPrimary(keyName, version)
    return version
  }

  /** @param name of a version, or of a key, for all its versions, as with the others below */
  enable(name: string): readonly CryptoKeyVersion[] {
    return this.#change(name, ['ENABLED', 'DISABLED'], { state: 'ENABLED' })
  }

  disable(name: string): readonly CryptoKeyVersion[] {
    return this.#change(name, ['ENABLED', 'DISABLED'], { state: 'DISABLED' })
  }

  /** Schedules the destruction. */
  destroy(name: string): readonly CryptoKeyVersion[] {
    const { destroyScheduledDuration } = this.key(VERSION.exec(name)?.[1] ?? name)
    const destroyTime = this.#now() + destroyScheduledDuration
    return this.#change(name, ['ENABLED', 'DISABLED'], { state: 'DESTROY_SCHEDULED', destroyTime })
  }

  /** Takes a scheduled destruction back. The versions are disabled then. */
  restore(name: string): readonly CryptoKeyVersion[] {
    return this.#change(name, ['DESTROY_SCHEDULED'], { state: 'DISABLED', destroyTime: undefined })
  }

  /** What the service does when the time of a scheduled destruction has come. */
  destroyNow(name: string): readonly CryptoKeyVersion[] {
    const gone = { state: 'DESTROYED', material: null, destroyEventTime: this.#now() } as const
    return this.#change(name, ['ENABLED', 'DISABLED', 'DESTROY_SCHEDULED'], gone)
  }

  #change(
    name: string,
    from: readonly VersionState[],
    change: Partial<Omit<CryptoKeyVersion, 'name'>>,
  ): readonly CryptoKeyVersion[] {
    const versions = VERSION.test(name) ? [this.version(name)] : this.key(name).versions
    const changed = versions.filter(({ state }) => from.includes(state))
    if (changed.length > 0) return changed.map((version) => Object.assign(version, change))
    const states = versions.map(({ state }) => state).join(', ')
    throw new GrpcError('FAILED_PRECONDITION', `${name} is ${states}, and must be ${from.join(' or ')}.`)
  }

  #addVersion(key: CryptoKey): CryptoKeyVersion {
    const version = newVersion(key, this.#now())
    key.versions.push(version)
    return version
  }

  #destroyDue(version: CryptoKeyVersion): void {
    const { state, destroyTime } = version
    if (state !== 'DESTROY_SCHEDULED' || (destroyTime ?? Number.POSITIVE_INFINITY) > this.#now()) return
    Object.assign(version, { state: 'DESTROYED', material: null, destroyEventTime: destroyTime })
  }
}

function newKey(name: string, options: CreateKeyOptions, now: number): CryptoKey {
  const {
    protectionLevel = 'SOFTWARE',
    rotationPeriod,
    destroyScheduledDuration = DESTROY_SCHEDULED_DURATION,
  } = options
  const nextRotationTime = options.nextRotationTime ?? (rotationPeriod && now + rotationPeriod)
  const schedule = { rotationPeriod, nextRotationTime, destroyScheduledDuration }
  return { name, protectionLevel, createTime: now, versions: [], primary: undefined, ...schedule }
}

function absent(kind: string, name: string): never {
  throw new GrpcError('NOT_FOUND', `${kind} ${name} not found.`)
}
