import type { DataSource } from 'typeorm'
import type { EncryptionOperations } from '../../client/encryptionOperations.js'
import type { KeyOperations } from '../../client/keyOperations.js'
import { FieldsealError } from '../../errors.js'
import type { UndeclaredColumn } from '../../sql/relatives.js'
import type { AccessOptions } from '../../tenancy/access.js'

/** One name in all builds of this library: a data source may be made with one and bound with another. */
const HELD = Symbol.for('fieldseal.dataSource')

/** What an encrypting data source, bound or not, does for its users. */
export interface Held {
  forTenant(tenant: string, access: AccessOptions | undefined): DataSource
  acrossTenants(access: AccessOptions | undefined): DataSource
  operations(): EncryptionOperations & KeyOperations
  /** What shows something encrypted in the database, and is not declared to. */
  undeclared(): readonly UndeclaredColumn[]
}

export function hold(dataSource: DataSource, held: Held): void {
  Object.defineProperty(dataSource, HELD, { value: held })
}

export function isHeld(dataSource: object): boolean {
  return HELD in dataSource
}

/** @throws FieldsealError `NOT_EXTENDED` */
export function heldBy(dataSource: DataSource): Held {
  if (typeof dataSource === 'object' && dataSource !== null && HELD in dataSource) return dataSource[HELD] as Held
  const message =
    'this is no data source that encrypts: write `const dataSource = fieldEncryption(new DataSource(…), { kms })`, and give that'
  throw new FieldsealError('NOT_EXTENDED', message)
}
