import { AzureApiError, badParameter } from './azureApiError.js'
import {
  type HsmKey,
  type HsmKeyChange,
  type HsmKeyVersion,
  type NewHsmKey,
  newHsmKey,
  newVersion,
  RETENTION,
} from './hsmKey.js'

const NAME = /^[0-9A-Za-z-]{1,127}$/

export interface HsmKeysOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly initial?: readonly HsmKey[]
  /** Called after each change, with all keys, deleted ones too. */
  readonly changed?: (keys: readonly HsmKey[]) => void
}

/** The keys of the emulated HSM. They are found by their names, in any case, or by their ids. */
export class HsmKeys {
  /** By the name in lower case: identifiers of Key Vault are case-insensitive. */
  readonly #keys = new Map<string, HsmKey>()
  readonly #now: () => number
  readonly #changed: (keys: readonly HsmKey[]) => void

  constructor({ now, initial = [], changed = () => undefined }: HsmKeysOptions) {
    this.#now = now
    this.#changed = changed
    for (const key of initial) this.#keys.set(key.name.toLowerCase(), key)
  }

  /** Seconds since the epoch. */
  get now(): number {
    return Math.floor(this.#now() / 1000)
  }

  /** Those that are not deleted, oldest first. */
  get list(): readonly HsmKey[] {
    return this.#all.filter(({ deleted }) => deleted === undefined)
  }

  /** Those that are deleted, and can be recovered. */
  get deleted(): readonly HsmKey[] {
    return this.#all.filter(({ deleted }) => deleted !== undefined)
  }

  /**
   * Makes a key, or the next version of one that has the name.
   *
   * @throws AzureApiError `ObjectIsDeletedButRecoverable` while a deleted one has it
   */
  create(options: NewHsmKey): HsmKey {
    if (!NAME.test(options.name)) throw badParameter('A name of a key has 1 to 127 digits, letters and hyphens.')
    const known = this.#get(options.name)
    if (known?.deleted !== undefined) throw recoverable(known)
    const key = known ?? newHsmKey(options)
    key.versions.push(newVersion(key, options, this.now))
    this.#keys.set(key.name.toLowerCase(), key)
    return this.#saved(key)
  }

  /** @throws AzureApiError `KeyNotFound` also of a deleted one */
  find(nameOrId: string): HsmKey {
    const key = this.#get(nameOrId)
    if (!key || key.deleted !== undefined) throw notFound(`A key with (name/id) ${nameOf(nameOrId)} was not found.`)
    return key
  }

  /** The newest version unless one is named. */
  version(nameOrId: string, version = ''): HsmKeyVersion {
    const { versions, name } = this.find(nameOrId)
    const found = version === '' ? versions.at(-1) : versions.find((each) => each.version === version)
    if (!found) throw notFound(`A key with (name/id) ${name}/${version} was not found.`)
    return found
  }

  /** Adds a version: what is encrypted from now on is under it, older ones still decrypt. */
  rotate(nameOrId: string): HsmKey {
    const key = this.find(nameOrId)
    key.versions.push(newVersion(key, {}, this.now))
    return this.#saved(key)
  }

  /** Changes one version, or all of them. */
  update(nameOrId: string, change: HsmKeyChange, version?: string): HsmKey {
    const key = this.find(nameOrId)
    const versions = version === undefined ? key.versions : [this.version(nameOrId, version)]
    for (const each of versions) Object.assign(each, change, { updated: this.now })
    return this.#saved(key)
  }

  /** Deletes a key so that it can be recovered for 90 days; its name is taken until then, or until it is purged. */
  delete(nameOrId: string): HsmKey {
    const key = this.find(nameOrId)
    key.deleted = this.now
    return this.#saved(key)
  }

  findDeleted(nameOrId: string): HsmKey {
    const key = this.#get(nameOrId)
    if (key?.deleted === undefined) throw notFound(`Deleted Key not found: ${nameOf(nameOrId)}`)
    return key
  }

  recover(nameOrId: string): HsmKey {
    const key = this.findDeleted(nameOrId)
    key.deleted = undefined
    return this.#saved(key)
  }

  /** Ends a deleted key for ever. */
  purge(nameOrId: string): void {
    const key = this.findDeleted(nameOrId)
    this.#keys.delete(key.name.toLowerCase())
    for (const { material } of key.versions) material.fill(0)
    this.#changed(this.#all)
  }

  get #all(): readonly HsmKey[] {
    for (const { name, deleted } of this.#keys.values())
      if (deleted !== undefined && deleted + RETENTION <= this.now) this.#keys.delete(name.toLowerCase())
    return [...this.#keys.values()]
  }

  #get(nameOrId: string): HsmKey | undefined {
    const name = nameOf(nameOrId).toLowerCase()
    return this.#all.find((key) => key.name.toLowerCase() === name)
  }

  #saved(key: HsmKey): HsmKey {
    this.#changed(this.#all)
    return key
  }
}

function nameOf(nameOrId: string): string {
  return /^https:\/\/[^/]+\/(?:deleted)?keys\/([^/]+)/.exec(nameOrId)?.[1] ?? nameOrId
}

function notFound(message: string): AzureApiError {
  return new AzureApiError('KeyNotFound', message)
}

function recoverable({ name }: HsmKey): AzureApiError {
  const message = `Key ${name} is currently in a deleted but recoverable state, and its name cannot be reused.`
  return new AzureApiError('ObjectIsDeletedButRecoverable', message)
}
