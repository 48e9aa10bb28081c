import { DataSource } from 'typeorm'
import { ambientBinding, type ClientBinding, fixedBinding } from '../client/clientBinding.js'
import { encryptionOperations } from '../client/encryptionOperations.js'
import { FieldsealError } from '../errors.js'
import { type AccessOptions, accessOf } from '../tenancy/access.js'
import { ANY_TENANT, type TenantScope } from '../tenancy/scope.js'
import { checkTenant } from '../tenancy/tenant.js'
import { bindDataSource } from './binding/boundDataSource.js'
import { type Held, hold, isHeld } from './binding/held.js'
import { LazyRelations } from './binding/lazyRelations.js'
import { DataSourceEncryption } from './dataSourceEncryption.js'
import { checkDataSourceOptions, type DataSourceEncryptionOptions } from './dataSourceOptions.js'
import { guardResultCache } from './resultCache.js'
import { QueryRunners } from './runner/queryRunners.js'
import { refuseTypeChanges } from './schema/typeChanges.js'
import { keepSealsInJson } from './seal/sealedJson.js'
import { keepReturnedValuesWhole } from './seal/wholeValues.js'

/** What TypeORM has for itself alone. */
interface Internals {
  buildMetadatas(): Promise<void>
}

/**
 * Has a data source encrypt the columns that its entities mark: before `initialize()`, once.
 *
 * @param dataSource of PostgreSQL
 * @returns the same data source
 * @throws FieldsealError `OPTIONS_INVALID`; `ALREADY_EXTENDED` for one that encrypts already. What is marked wrongly in
 * entities is told by `initialize()`: `SCHEMA_INVALID`
 *
 * @example
 * ```ts
 * import { DataSource } from 'typeorm'
 * import { localKms } from 'fieldseal/local-kms'
 * import { fieldEncryption } from 'fieldseal/typeorm'
 * import { EncryptionKey, User } from './entities'
 *
 * export const dataSource = fieldEncryption(
 *   new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities: [User, EncryptionKey] }),
 *   { kms: localKms({ env: 'FIELDSEAL_KEY' }) },
 * )
 * await dataSource.initialize()
 * ```
 */
export function fieldEncryption<Source extends DataSource>(
  dataSource: Source,
  options: DataSourceEncryptionOptions,
): Source {
  checkDataSourceOptions(options)
  checkDataSource(dataSource)
  const encryption = new DataSourceEncryption(dataSource, options)
  const runners = new QueryRunners(encryption)
  const lazyRelations = new LazyRelations(dataSource)
  const base = { dataSource, encryption, runners, lazyRelations }
  followLife(dataSource, encryption)
  runners.takeOver(dataSource)
  guardResultCache(dataSource, encryption)
  keepSealsInJson(dataSource)
  refuseTypeChanges(dataSource)
  keepReturnedValuesWhole(dataSource)
  hold(dataSource, heldOf(base, undefined))
  return dataSource
}

/** Encryption begins with the metadata of `initialize()`, before TypeORM sends any statement, and ends with `destroy()`. */
function followLife(dataSource: DataSource, encryption: DataSourceEncryption): void {
  const { buildMetadatas } = dataSource as unknown as Internals
  const { destroy } = dataSource
  Object.assign(dataSource, {
    buildMetadatas: () => encryption.start(() => buildMetadatas.call(dataSource)),
    destroy: async () => {
      await destroy.call(dataSource)
      await encryption.stop()
    },
  })
}

interface Base {
  readonly dataSource: DataSource
  readonly encryption: DataSourceEncryption
  readonly runners: QueryRunners
  readonly lazyRelations: LazyRelations
}

/** @param binding of a bound data source, from which others can be bound that may read no more */
function heldOf(base: Base, binding: ClientBinding | undefined): Held {
  const { encryption } = base
  const bind = (tenant: TenantScope, options: AccessOptions = {}): DataSource => {
    const access = accessOf(options, binding?.access)
    encryption.ready()?.context.limited.of(access.allow)
    const bound = bindDataSource(base, { tenant, access })
    hold(bound, heldOf(base, { tenant, access }))
    return bound
  }
  return {
    forTenant: (tenant, access) => {
      checkTenant(tenant)
      return bind(tenant, access)
    },
    acrossTenants: (access) => bind(ANY_TENANT, access),
    undeclared: () => encryption.required().relatives.undeclared,
    operations: () => {
      const { context, schema, figures, keys } = encryption.required()
      const clientBinding = binding ? fixedBinding(binding) : ambientBinding
      return { ...encryptionOperations({ ...context, clientBinding }, schema, figures), ...keys }
    },
  }
}

function checkDataSource(dataSource: DataSource): void {
  if (!(dataSource instanceof DataSource)) throw invalid(whatIs(dataSource))
  if (isHeld(dataSource)) throw alreadyExtended()
  const { type } = dataSource.options
  if (type !== 'postgres')
    throw invalid(`works on PostgreSQL, and this data source is of type "${type}": only "postgres" is understood`)
  if (dataSource.isInitialized)
    throw invalid('must be called before initialize(): what was sent until now was not encrypted')
}

function whatIs(dataSource: unknown): string {
  const isOfAnotherCopy =
    (dataSource as { '@instanceof'?: unknown } | null | undefined)?.['@instanceof'] === Symbol.for('DataSource')
  return isOfAnotherCopy
    ? 'got a DataSource of another copy of typeorm than it has itself: install one (`npm ls typeorm` shows them)'
    : 'takes a DataSource first: fieldEncryption(new DataSource({ … }), { kms })'
}

function alreadyExtended(): FieldsealError {
  const message =
    'this data source encrypts already; fieldEncryption twice would encrypt twice. Call it once, where it is made'
  return new FieldsealError('ALREADY_EXTENDED', message)
}

function invalid(what: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `fieldEncryption ${what}`)
}
