import type { DataSource } from 'typeorm'
import type { ClientContext } from '../client/clientContext.js'
import { encryptingClient } from '../client/encryptingClient.js'
import type { KeyOperations } from '../client/keyOperations.js'
import { checkAgainstSchema } from '../client/options.js'
import { type IndexScopes, indexScopes } from '../client/transactionKeys.js'
import type { CacheFigures } from '../keys/events.js'
import { compilePlans } from '../plan/compilePlans.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { loadParser, StatementEncryption } from '../sql/statementEncryption.js'
import { catalogOf } from './catalogOf.js'
import type { DataSourceEncryptionOptions } from './dataSourceOptions.js'
import { addGuards } from './guards.js'
import { typeormKeyStore } from './keys/keyStore.js'
import { typeormKeyTraces } from './keys/keyTraces.js'
import { KnownRelatives } from './knownRelatives.js'
import { encryptionSchemaOf } from './schema/encryptionSchemaOf.js'
import { isSealed, openSeal } from './seal/seal.js'
import { keepSavedValuesWhole } from './seal/wholeValues.js'
import { TYPEORM_WORDING } from './wording.js'

/** What the statements of an initialised data source are encrypted with. */
export interface RunningEncryption {
  readonly schema: EncryptionSchema
  readonly context: ClientContext
  readonly keys: KeyOperations
  readonly figures: () => CacheFigures
  readonly statements: StatementEncryption
  readonly relatives: KnownRelatives
  readonly scopes: IndexScopes
}

/**
 * Puts together what encrypts, by the entities that the data source has now.
 *
 * @throws FieldsealError `SCHEMA_INVALID`, `OPTIONS_INVALID`; `DATABASE_UNAVAILABLE` if it does not tell what is related
 * to the encrypted tables
 */
export async function runEncryption(
  dataSource: DataSource,
  { guards = false, ...options }: DataSourceEncryptionOptions,
): Promise<RunningEncryption> {
  const { normalizers, migratingFrom } = options
  await loadParser()
  const schema = encryptionSchemaOf(dataSource)
  checkAgainstSchema(schema, options)
  if (guards) addGuards(dataSource, schema)
  keepSavedValuesWhole(dataSource)
  const { context, keys, figures } = encryptingClient(
    { ...options, schema },
    {
      store: typeormKeyStore(dataSource, schema),
      traces: typeormKeyTraces(dataSource, schema),
      compile: (allow) =>
        compilePlans(schema, { normalizers, migratingFrom, allow, unreadable: TYPEORM_WORDING.unreadable }),
      plainValue: (_field, value) => value,
      wording: TYPEORM_WORDING,
    },
  )
  const catalog = catalogOf(dataSource, schema, context.plans)
  const statements = new StatementEncryption({ context, catalog, open: openSeal, isSealed })
  const relatives = new KnownRelatives(catalog, statements)
  await relatives.begin(dataSource)
  return { schema, context, keys, figures, statements, relatives, scopes: indexScopes(context.plans) }
}
