import { readState, writeState } from '../emulator/stateFile.js'
import { isTransitKeyType, latestVersion, newVersion, type TransitKey, type TransitKeySettings } from './transitKey.js'
import { refused, together, VaultError } from './vaultError.js'

/** What can be changed of a key. https://developer.hashicorp.com/vault/api-docs/secret/transit#update-key-configuration */
export interface TransitKeyConfig {
  readonly min_decryption_version?: number
  readonly min_encryption_version?: number
  readonly deletion_allowed?: boolean
  readonly exportable?: boolean
  readonly allow_plaintext_backup?: boolean
}

export interface TransitKeysOptions {
  readonly now: () => number
  /** Keeps them in this file. */
  readonly stateFile?: string | undefined
}

/** The transit keys of all mounts, by path: `transit/fieldseal`. Requests change them, and so may a test. */
export class TransitKeys {
  readonly #now: () => number
  readonly #stateFile: string | undefined
  readonly #keys: Map<string, TransitKey>

  constructor({ now, stateFile }: TransitKeysOptions) {
    this.#now = now
    this.#stateFile = stateFile
    this.#keys = stateFile === undefined ? new Map() : savedKeys(stateFile)
  }

  get paths(): readonly string[] {
    return [...this.#keys.keys()]
  }

  get(path: string): TransitKey | undefined {
    return this.#keys.get(path)
  }

  /** A key that exists stays as it is. @throws VaultError for settings that contradict each other */
  create(path: string, settings: TransitKeySettings = {}): { readonly key: TransitKey; readonly isNew: boolean } {
    const { type = 'aes256-gcm96', derived = false, convergent_encryption: convergent = false } = settings
    if (!isTransitKeyType(type)) throw refused(`unknown key type ${type}`)
    if (convergent && !derived) throw refused('convergent encryption requires derivation to be enabled')
    const known = this.#keys.get(path)
    if (known) return { key: known, isNew: false }
    const key: TransitKey = {
      name: path.slice(path.lastIndexOf('/') + 1),
      type,
      derived,
      convergent,
      exportable: settings.exportable ?? false,
      plaintextBackup: settings.allow_plaintext_backup ?? false,
      deletionAllowed: false,
      minAvailableVersion: 0,
      minDecryptionVersion: 1,
      minEncryptionVersion: 0,
      softDeleted: false,
      versions: [newVersion(type, this.#now())],
    }
    this.#keys.set(path, key)
    this.#save()
    return { key, isNew: true }
  }

  rotate(path: string): TransitKey {
    const key = this.#existing(path)
    key.versions = [...key.versions, newVersion(key.type, this.#now())]
    this.#save()
    return key
  }

  /** What opens a key up (`exportable`, `allow_plaintext_backup`) cannot be taken back. */
  configure(path: string, config: TransitKeyConfig): TransitKey {
    const key = this.#existing(path)
    const latest = latestVersion(key)
    const decryption = config.min_decryption_version ?? key.minDecryptionVersion
    const encryption = config.min_encryption_version ?? key.minEncryptionVersion
    if (decryption < 0) throw refused('min decryption version cannot be negative')
    if (decryption > latest)
      throw refused(`cannot set min decryption version of ${decryption}, latest key version is ${latest}`)
    if (encryption < 0) throw refused('min encryption version cannot be negative')
    if (encryption > latest)
      throw refused(`cannot set min encryption version of ${encryption}, latest key version is ${latest}`)
    if (encryption > 0 && encryption < decryption)
      throw refused(
        `cannot set min encryption/decryption values; min encryption version of ${encryption} must be greater than or ` +
          `equal to min decryption version of ${decryption}`,
      )
    key.minDecryptionVersion = Math.max(decryption, 1)
    key.minEncryptionVersion = encryption
    key.deletionAllowed = config.deletion_allowed ?? key.deletionAllowed
    key.exportable ||= config.exportable ?? false
    key.plaintextBackup ||= config.allow_plaintext_backup ?? false
    this.#save()
    return key
  }

  /** Forgets all versions before this one, for good. https://developer.hashicorp.com/vault/api-docs/secret/transit#trim-key */
  trim(path: string, version: number): TransitKey {
    const key = this.#keys.get(path)
    if (!key) throw refused('invalid key name')
    if (version < key.minAvailableVersion) throw refused('minimum available version cannot be decremented')
    if (key.minEncryptionVersion === 0)
      throw refused('minimum available version cannot be set when minimum encryption version is not set')
    if (version > key.minEncryptionVersion)
      throw refused('minimum available version cannot be greater than minmum encryption version')
    if (version > key.minDecryptionVersion)
      throw refused('minimum available version cannot be greater than minimum decryption version')
    if (version <= 0) throw refused('minimum available version should be positive')
    key.minAvailableVersion = version
    key.versions = key.versions.map((each, index) => (index + 1 < version ? { ...each, key: Buffer.alloc(0) } : each))
    this.#save()
    return key
  }

  /** Only after `deletion_allowed` was set. */
  delete(path: string): void {
    const key = this.#keys.get(path)
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (!key) throw refused(`error deleting policy ${name}: could not delete key; not found`)
    if (!key.deletionAllowed)
      throw new VaultError(400, [`error deleting policy ${name}: ${together('deletion is not allowed for this key')}`])
    this.#keys.delete(path)
    this.#save()
  }

  /** OpenBao only. https://openbao.org/api-docs/secret/transit/#soft-delete-key */
  softDelete(path: string, deleted: boolean): void {
    this.#existing(path).softDeleted = deleted
    this.#save()
  }

  #existing(path: string): TransitKey {
    const key = this.#keys.get(path)
    if (key) return key
    throw refused(`no existing key named ${path.slice(path.lastIndexOf('/') + 1)} could be found`)
  }

  #save(): void {
    if (this.#stateFile === undefined) return
    const keys = [...this.#keys].map(([path, key]) => ({
      path,
      ...key,
      versions: key.versions.map(({ created, key: secret }) => ({ created, key: secret.toString('base64') })),
    }))
    writeState(this.#stateFile, { format: 1, keys })
  }
}

type SavedKey = Omit<TransitKey, 'versions'> & {
  readonly path: string
  readonly versions: readonly { readonly created: number; readonly key: string }[]
}

function savedKeys(file: string): Map<string, TransitKey> {
  const keys = readState(file, (saved) => {
    const { format, keys } = saved as { readonly format?: unknown; readonly keys?: unknown }
    return format === 1 && Array.isArray(keys) ? (keys as readonly SavedKey[]) : undefined
  })
  return new Map(
    (keys ?? []).map(({ path, versions, ...key }) => [
      path,
      { ...key, versions: versions.map(({ created, key: text }) => ({ created, key: Buffer.from(text, 'base64') })) },
    ]),
  )
}
