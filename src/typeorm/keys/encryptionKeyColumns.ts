import {
  Column,
  EntitySchema,
  type EntitySchemaColumnOptions,
  type EntitySchemaOptions,
  Index,
  PrimaryColumn,
} from 'typeorm'
import type { KeyState } from '../../keys/keyStore.js'
import type { Purpose } from '../../keys/kms.js'
import { annotated } from '../schema/annotation.js'
import { KEYS_TABLE } from '../schema/decorators.js'
import { plainTransformer } from '../seal/sealingTransformer.js'

/** The columns of the keys table, by the names and types that Prisma gives them, so that both ORMs can share one. */
export abstract class EncryptionKeyColumns {
  declare id: string
  declare tenant: string
  declare purpose: Purpose
  declare version: number
  declare state: KeyState
  /** The KMS's opaque text; null once destroyed. */
  declare wrapped: string | null
  declare kms: string
  declare kekId: string
  /** Encryptions reserved so far. */
  declare messages: string
  declare createdAt: Date
  declare retiredAt: Date | null
  declare destroyedAt: Date | null
}

type ColumnOptions = Pick<EntitySchemaColumnOptions, 'type' | 'precision' | 'nullable' | 'default'>

const text: ColumnOptions = { type: 'text' }
const time: ColumnOptions = { type: 'timestamp', precision: 3 }
const key = { type: 'uuid', primaryKeyConstraintName: `${KEYS_TABLE}_pkey` } as const

const columns: { readonly [name in Exclude<keyof EncryptionKeyColumns, 'id'>]: ColumnOptions } = {
  tenant: text,
  purpose: text,
  version: { type: 'int' },
  state: text,
  wrapped: { ...text, nullable: true },
  kms: text,
  kekId: text,
  messages: { type: 'bigint', default: 0 },
  createdAt: { ...time, default: () => 'CURRENT_TIMESTAMP' },
  retiredAt: { ...time, nullable: true },
  destroyedAt: { ...time, nullable: true },
}

/** It decides races for a new key. */
const versions = ['tenant', 'purpose', 'version'] as const
const versionsName = `${KEYS_TABLE}_${versions.join('_')}_key`

PrimaryColumn({ ...key })(EncryptionKeyColumns.prototype, 'id')
for (const [name, options] of Object.entries(columns)) Column({ ...options })(EncryptionKeyColumns.prototype, name)
Index(versionsName, [...versions], { unique: true })(EncryptionKeyColumns)

/**
 * The entity that stores the wrapped keys, as an `EntitySchema`.
 *
 * @param options of the entity; its name is `EncryptionKey` and its table `encryption_keys` unless given
 */
export function encryptionKeys(
  options: Partial<Omit<EntitySchemaOptions<EncryptionKeyColumns>, 'columns'>> = {},
): EntitySchema<EncryptionKeyColumns> {
  const id = { ...key, primary: true, transformer: annotated(plainTransformer(), { kind: 'keys' }) }
  const indices = [{ name: versionsName, columns: [...versions], unique: true }]
  return new EntitySchema({
    name: 'EncryptionKey',
    tableName: KEYS_TABLE,
    indices,
    ...options,
    columns: { id, ...columns },
  })
}
