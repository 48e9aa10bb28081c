import { AwsApiError, invalid } from './awsApiError.js'
import {
  type AwsKey,
  type AwsKeyState,
  type AwsPlace,
  aliasArn,
  type NewAwsKey,
  newAwsKey,
  newMaterial,
} from './awsKey.js'

const DAY = 86_400_000
const KEY_ARN = /^arn:aws:kms:([a-z0-9-]+):(\d{12}):(key\/[\w-]+|alias\/[\w/-]+)$/
/** docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const MOST_ON_DEMAND_ROTATIONS = 25

/** An alias of a region. */
export interface AwsAlias {
  readonly name: string
  keyId: string
  readonly createdAt: number
  updatedAt: number
}

export interface AwsKeysOptions {
  readonly place: AwsPlace
  readonly now: () => number
  /** Called after each change. */
  readonly changed: () => void
}

/** The keys and aliases of one region of an account. */
export class AwsKeys {
  readonly place: AwsPlace
  readonly #keys = new Map<string, AwsKey>()
  readonly #aliases = new Map<string, AwsAlias>()
  readonly #now: () => number
  readonly #changed: () => void

  constructor({ place, now, changed }: AwsKeysOptions) {
    this.place = place
    this.#now = now
    this.#changed = changed
  }

  /** Oldest first. */
  get list(): readonly AwsKey[] {
    this.#catchUp()
    return [...this.#keys.values()]
  }

  /** In the order of their names, `alias/` included. */
  get aliases(): readonly AwsAlias[] {
    return [...this.#aliases.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  create(options: NewAwsKey = {}): AwsKey {
    return this.add(newAwsKey(this.place, options, this.#now()))
  }

  /** @throws AwsApiError `AlreadyExistsException` */
  add(key: AwsKey): AwsKey {
    if (this.#keys.has(key.keyId)) throw new AwsApiError('AlreadyExistsException', `Key ${key.arn} already exists`)
    this.#keys.set(key.keyId, key)
    this.#changed()
    return key
  }

  /**
   * @param identifier an id, a key ARN, `alias/…` or an alias ARN
   * @throws AwsApiError `NotFoundException`; `AccessDeniedException` for another account
   */
  find(identifier: string): AwsKey {
    this.#catchUp()
    const name = this.#local(identifier)
    const keyId = name.startsWith('alias/') ? this.alias(name).keyId : name.replace(/^key\//, '')
    const key = this.#keys.get(keyId)
    if (key) return key
    if (!/^[\w-]{1,128}$/.test(keyId)) throw new AwsApiError('NotFoundException', `Invalid keyId '${keyId}'`)
    throw new AwsApiError('NotFoundException', `Key '${this.#arn(keyId)}' does not exist`)
  }

  /** One that is named by its id or its ARN, as the actions that manage keys want it. */
  findByKeyId(identifier: string): AwsKey {
    if (!identifier.includes('alias/')) return this.find(identifier)
    throw new AwsApiError('NotFoundException', `Invalid keyId '${identifier}'`)
  }

  /** docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
  setState(keyId: string, state: AwsKeyState): AwsKey {
    return this.update(keyId, { state })
  }

  /** Lets the key go after some days. */
  scheduleDeletion(keyId: string, days = 30): AwsKey {
    const key = this.find(keyId)
    if (key.state === 'PendingDeletion') throw invalidState(`${key.arn} is pending deletion.`)
    return this.update(keyId, { state: 'PendingDeletion', deletionDate: this.#now() + days * DAY })
  }

  /** The key is disabled afterwards, as with the service. */
  cancelDeletion(keyId: string): AwsKey {
    const key = this.find(keyId)
    if (key.state !== 'PendingDeletion') throw invalidState(`${key.arn} is not pending deletion.`)
    return this.update(keyId, { state: 'Disabled', deletionDate: undefined })
  }

  /** New ciphertexts are made with new key material; what was made with the old opens as before, in all regions. */
  rotate(keyId: string): AwsKey {
    const key = this.find(keyId)
    if (key.onDemandRotations >= MOST_ON_DEMAND_ROTATIONS)
      throw new AwsApiError('LimitExceededException', `${key.arn} was rotated ${MOST_ON_DEMAND_ROTATIONS} times`)
    key.materials.push(newMaterial())
    return this.update(keyId, { onDemandRotations: key.onDemandRotations + 1 })
  }

  /** @param period days; `undefined` ends the rotation */
  rotateEvery(keyId: string, period: number | undefined): AwsKey {
    const nextRotation = period === undefined ? undefined : this.#now() + period * DAY
    return this.update(keyId, { rotationPeriod: period, nextRotation })
  }

  update(keyId: string, change: Partial<AwsKey>): AwsKey {
    const key = Object.assign(this.find(keyId), change)
    this.#changed()
    return key
  }

  /** @throws AwsApiError `NotFoundException` */
  alias(name: string): AwsAlias {
    const alias = this.#aliases.get(name)
    if (alias) return alias
    throw new AwsApiError('NotFoundException', `Alias ${aliasArn(this.place, name)} is not found.`)
  }

  /** @throws AwsApiError `AlreadyExistsException`, `InvalidAliasNameException` */
  addAlias(name: string, keyId: string): AwsAlias {
    if (!/^alias\/[\w/-]{1,250}$/.test(name)) throw invalid(`Value '${name}' at 'aliasName' must begin with alias/`)
    if (name.startsWith('alias/aws/')) throw new AwsApiError('NotAuthorizedException', `${name} is reserved`)
    if (this.#aliases.has(name))
      throw new AwsApiError(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(this.place, name)} already exists`,
      )
    const alias = { name, keyId: this.findByKeyId(keyId).keyId, createdAt: this.#now(), updatedAt: this.#now() }
    this.#aliases.set(name, alias)
    this.#changed()
    return alias
  }

  moveAlias(name: string, keyId: string): void {
    Object.assign(this.alias(name), { keyId: this.findByKeyId(keyId).keyId, updatedAt: this.#now() })
    this.#changed()
  }

  deleteAlias(name: string): void {
    this.#aliases.delete(this.alias(name).name)
    this.#changed()
  }

  /** `key/…`, `alias/…` or an id of this account and region. */
  #local(identifier: string): string {
    if (!identifier.startsWith('arn:')) return identifier
    const [, region, accountId, name] = KEY_ARN.exec(identifier) ?? []
    if (!name) throw new AwsApiError('InvalidArnException', `${identifier} is not a valid ARN`)
    if (region !== this.place.region) throw new AwsApiError('NotFoundException', `Invalid arn ${region}`)
    if (accountId === this.place.accountId) return name
    throw new AwsApiError('AccessDeniedException', `No resource-based policy of ${identifier} allows the action`)
  }

  #arn(keyId: string): string {
    return `arn:aws:kms:${this.place.region}:${this.place.accountId}:key/${keyId}`
  }

  /** What time has done since: deletions, and rotations of primaries, which share their materials with their replicas. */
  #catchUp(): void {
    const now = this.#now()
    for (const key of this.#keys.values()) {
      if (key.deletionDate !== undefined && key.deletionDate <= now) this.#delete(key)
      while (key.nextRotation !== undefined && key.nextRotation <= now) {
        key.materials.push(newMaterial())
        key.nextRotation += (key.rotationPeriod ?? 365) * DAY
        this.#changed()
      }
    }
  }

  #delete({ keyId }: AwsKey): void {
    this.#keys.delete(keyId)
    for (const alias of this.#aliases.values()) if (alias.keyId === keyId) this.#aliases.delete(alias.name)
    this.#changed()
  }
}

export function invalidState(message: string): AwsApiError {
  return new AwsApiError('KMSInvalidStateException', message)
}
