import { FieldsealError, quoted } from '../../errors.js'
import type { KekIds } from '../call/kekIds.js'
import type { IvSource } from './gcm.js'
import { findKek, type Kek, kekMissing } from './kek.js'
import type { Pkcs11Module } from './pkcs11Module.js'
import type { PooledSession } from './sessionPool.js'

interface TenantKeksOptions {
  readonly module: Pkcs11Module
  readonly kekIds: KekIds
  readonly iv: IvSource
  readonly imported: boolean
}

/** The KEKs of each tenant: named by the options, found in the token. */
export class TenantKeks {
  readonly #options: TenantKeksOptions

  constructor(options: TenantKeksOptions) {
    this.#options = options
  }

  /** Asks for the name of the KEK for what is encrypted from now on. */
  currentOf(tenant: string): () => Promise<string> {
    return () => this.#options.kekIds.current(tenant)
  }

  /** Asks for the names of all KEKs of a tenant, the current one first. */
  namesOf(tenant: string): () => Promise<readonly string[]> {
    return () => this.#options.kekIds.all(tenant)
  }

  /** @throws FieldsealError `KMS_KEY_UNUSABLE` if there is none, or it must not serve; what the module returns */
  async find(name: string, pooled: PooledSession): Promise<Kek> {
    const { keks } = pooled.connection
    const known = keks.get(name)
    if (known) return known
    const finding = this.#search(name, pooled)
    keks.set(name, finding)
    finding.catch(() => keks.delete(name))
    return finding
  }

  /**
   * The one with a check value among a tenant's own. What a row says is not enough: who can write there, and may use any KEK
   * of the token, could give the tenant a DEK that they know.
   *
   * @param what is under the KEK, and under which one it says to be, for messages
   * @throws FieldsealError `KMS_KEY_UNUSABLE` for a KEK that is none of the tenant's, or not in the token
   */
  async findOwn(check: string | null, what: string, names: readonly string[], pooled: PooledSession): Promise<Kek> {
    const unusable: FieldsealError[] = []
    for (const name of check === null ? [] : names) {
      const kek = await this.find(name, pooled).catch((error: unknown) => {
        if (!FieldsealError.is(error, 'KMS_KEY_UNUSABLE')) throw error
        unusable.push(error)
        return undefined
      })
      if (kek?.check === check) return kek
    }
    throw unusable[0] ?? foreign(what, names)
  }

  async #search(name: string, { session, connection }: PooledSession): Promise<Kek> {
    const { module, iv, imported } = this.#options
    const kek = await findKek({ module, session, iv, imported, login: connection.login.required }, name)
    if (kek) return kek
    await connection.expectAlive(session)
    throw kekMissing(name)
  }
}

function foreign(what: string, names: readonly string[]): FieldsealError {
  return new FieldsealError(
    'KMS_KEY_UNUSABLE',
    `${what}, which is none of the keys in the token that pkcs11Kms names for its tenant (${names.map(quoted).join(', ')}). ` +
      'If it was that tenant’s, name it in the option "formerKeyIds"; if a key was deleted and made again under the same name, ' +
      'restore the one of then from the token’s backup; if it never was, the row was changed: compare it with a backup.',
  )
}
