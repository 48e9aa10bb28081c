import { isDekId } from '../crypto/header.js'
import { FieldsealError, quoted } from '../errors.js'
import { SingleFlight } from './cache/singleFlight.js'
import { Dek } from './dek.js'
import { checkVersion } from './dekId.js'
import { type DestroyedKeys, destroyedError } from './destroyedKeys.js'
import { keyError } from './keyError.js'
import type { StoredKey } from './keyStore.js'
import { type KeptIdentity, type Kms, reads, type WrappedDek } from './kms.js'

/** Makes DEKs of rows of the keys table, by the KMS. */
export class Unwrapper {
  readonly #kms: Kms
  readonly #destroyed: DestroyedKeys
  readonly #unwraps = new SingleFlight<Dek>()

  constructor(kms: Kms, destroyed: DestroyedKeys) {
    this.#kms = kms
    this.#destroyed = destroyed
  }

  /**
   * Whoever needs the same DEK at once, to read or to write, shares one call of the KMS, which is shared nowhere else.
   *
   * @param beside what the DEK is given on its way
   * @throws FieldsealError `KEY_DESTROYED`, `KEY_INVALID`, `KMS_*`
   */
  async unwrap(row: StoredKey, identity: KeptIdentity, beside: readonly Dek[] = []): Promise<Dek> {
    if (this.#destroyed.includes(row)) throw destroyedError(row)
    const wrapped = { wrapped: usableText(row, identity, this.#kms), kekId: row.kekId, kms: row.kms }
    const same = JSON.stringify([identity.key, identity.purpose, identity.tenant, wrapped, beside.map(({ id }) => id)])
    return this.#unwraps.run(same, () => this.#askKms(wrapped, identity, beside))
  }

  /** Later callers share no unwrapping that has begun. */
  forget(): void {
    this.#unwraps.forget()
  }

  async #askKms(wrapped: WrappedDek, identity: KeptIdentity, beside: readonly Dek[]): Promise<Dek> {
    try {
      return new Dek(identity, await this.#kms.unwrap(wrapped, identity), undefined, beside)
    } catch (error) {
      if (!FieldsealError.is(error, 'KMS_REFUSED')) throw error
      throw keyError(
        'KEY_INVALID',
        identity.key,
        'was refused by the KMS: its row in the keys table was changed',
        error,
      )
    }
  }
}

const KEPT: ReadonlySet<string> = new Set(['active', 'retired'])
const USABLE = { encrypt: KEPT, wrap: KEPT, index: new Set<string>(['active', 'retired', 'retiring']) } as const

/** The row's wrapped DEK, if the row is one that this process may use. */
function usableText(row: StoredKey, identity: KeptIdentity, kms: Kms): string {
  if (!USABLE[identity.purpose].has(row.state)) throw keyError('KEY_INVALID', row.id, 'has an unknown state')
  if (!isDekId(row.id)) throw keyError('KEY_INVALID', row.id, 'has an id that is not a lower-case UUID')
  checkVersion(row)
  if (row.tenant !== identity.tenant) throw keyError('KEY_INVALID', row.id, 'is of another tenant than was asked for')
  if (row.purpose !== identity.purpose) throw keyError('KEY_INVALID', row.id, `has the purpose ${quoted(row.purpose)}`)
  if (!reads(kms, row.kms))
    throw keyError('KEY_INVALID', row.id, `is wrapped by the KMS ${quoted(row.kms)}, not ${quoted(kms.name)}`)
  if (row.wrapped === null) throw keyError('KEY_INVALID', row.id, `is ${row.state}, yet its row has no wrapped key`)
  return row.wrapped
}
