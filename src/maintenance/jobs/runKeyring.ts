import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { isDekId } from '../../crypto/header.js'
import { FieldsealError } from '../../errors.js'
import type { DekIdentity, Kms } from '../../keys/kms.js'
import { GLOBAL_TENANT } from '../../tenancy/tenant.js'
import { progressError } from './progressError.js'
import { RunKey, type StoredRunKey } from './runKey.js'

/** Makes and opens the keys of runs by the app's own KMS: one call for each run and process. */
export class RunKeyring {
  readonly #kms: Kms
  readonly #keys = new LRUCache<string, Promise<RunKey>>({ max: 100 })

  constructor(kms: Kms) {
    this.#kms = kms
  }

  /** @throws FieldsealError `KMS_*` */
  async make(): Promise<RunKey> {
    const id = randomUUID()
    const { dek, wrapped, kekId } = await this.#kms.generate(identityOf(id))
    const key = new RunKey({ id, wrapped, kekId }, dek)
    this.#keys.set(nameOf(key.stored), Promise.resolve(key))
    return key
  }

  /** @throws FieldsealError `PROGRESS_INVALID` for what is no key that `make` made, `KMS_*` */
  open(stored: unknown): Promise<RunKey> {
    if (!isStoredRunKey(stored)) return Promise.reject(progressError('the key of a run is none'))
    const known = this.#keys.get(nameOf(stored))
    if (known) return known
    const opened = this.#unwrap(stored)
    this.#keys.set(nameOf(stored), opened)
    // Whoever waits for it hears of it; it is asked for again next time.
    opened.catch(() => this.#keys.delete(nameOf(stored)))
    return opened
  }

  async #unwrap({ id, wrapped, kekId }: StoredRunKey): Promise<RunKey> {
    try {
      return new RunKey({ id, wrapped, kekId }, await this.#kms.unwrap({ wrapped, kekId }, identityOf(id)))
    } catch (error) {
      if (!FieldsealError.is(error, 'KMS_REFUSED')) throw error
      throw progressError('the key of a run was refused by the KMS', error)
    }
  }
}

/** A run may be over the rows of many tenants. */
function identityOf(key: string): DekIdentity {
  return { key, purpose: 'maintenance', tenant: GLOBAL_TENANT }
}

function nameOf({ id, wrapped, kekId }: StoredRunKey): string {
  return JSON.stringify([id, wrapped, kekId])
}

function isStoredRunKey(stored: unknown): stored is StoredRunKey {
  const { id, wrapped, kekId } = (stored ?? {}) as Partial<Record<keyof StoredRunKey, unknown>>
  return typeof id === 'string' && isDekId(id) && typeof wrapped === 'string' && typeof kekId === 'string'
}
