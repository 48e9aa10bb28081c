import type { DataSource, EntityManager, QueryRunner, ReplicationMode } from 'typeorm'
import type { ClientBinding } from '../../client/clientBinding.js'
import { fixedBinding } from '../../client/clientBinding.js'
import { FieldsealError } from '../../errors.js'
import type { QueryRunners } from '../runner/queryRunners.js'
import type { LazyRelations } from './lazyRelations.js'

/** What a data source does to itself, and not for a tenant: one that is bound has its base do it. */
const LIFE = [
  'initialize',
  'connect',
  'destroy',
  'close',
  'setOptions',
  'synchronize',
  'dropDatabase',
  'runMigrations',
  'undoLastMigration',
  'showMigrations',
]

/** What leads to statements. Somebody may have put his own in their place on the base, which would lead there. */
const LEADING = [
  'query',
  'sql',
  'transaction',
  'createQueryBuilder',
  'createEntityManager',
  'getRepository',
  'getTreeRepository',
  'getMongoRepository',
  'getCustomRepository',
]

/**
 * By this name `typeorm-transactional` knows a data source whose repositories are to work by the manager of the running
 * transaction: the base's, which knows neither tenant nor limits.
 */
const TRANSACTIONAL = '@transactional/data-source'

interface Base {
  readonly dataSource: DataSource
  readonly runners: QueryRunners
  readonly lazyRelations: LazyRelations
}

type Create = (mode: ReplicationMode) => QueryRunner
type Method = (this: unknown, ...args: unknown[]) => unknown
type Methods = Record<string, Method>

/** A data source of the same connections and entities whose statements are all of one tenant, or of one that may read all. */
export function bindDataSource({ dataSource, runners, lazyRelations }: Base, binding: ClientBinding): DataSource {
  const bound: DataSource = Object.create(dataSource)
  const source = fixedBinding(binding)
  /** By what the base, or its driver, has then: somebody may wrap it later. */
  const createBy = (maker: { readonly createQueryRunner: Create }) => (mode: ReplicationMode) => {
    checkAround(dataSource)
    const runner = runners.createFor(bound, source, () => maker.createQueryRunner(mode))
    return lazyRelations.follow(runner, bound)
  }
  const methods: Methods = {
    ...methodsOf(dataSource, LIFE, (method) => onBase(method, dataSource, bound)),
    ...methodsOf(Object.getPrototypeOf(dataSource), LEADING, (method) => method),
  }
  const createEntityManager = methods.createEntityManager as DataSource['createEntityManager']
  defineAll(bound, {
    ...methods,
    createQueryRunner: createBy(dataSource),
    driver: driverOf(bound, createBy(dataSource.driver)),
    [TRANSACTIONAL]: undefined,
    createEntityManager: (runner?: QueryRunner): EntityManager =>
      lazyRelations.keep(createEntityManager.call(bound, runner), bound),
  })
  defineAll(bound, {
    manager: bound.createEntityManager(),
    relationLoader: lazyRelations.loaderOf(bound),
    relationIdLoader: idLoaderOf(bound),
  })
  return bound
}

/**
 * Somebody may have the base work by the manager of a transaction that runs in this asynchronous context. What is bound
 * would work outside of it, and wait for what it has locked.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED`
 */
function checkAround({ manager }: DataSource): void {
  if (!manager.queryRunner?.isTransactionActive) return
  const message =
    'the running transaction (@Transactional) is of the data source that this one was bound from, and what this one sends would not ' +
    'be part of it: use that data source, inside withTenant(id, access, fn)'
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}

function methodsOf(holder: object, names: readonly string[], of: (method: Method) => Method): Methods {
  const members = holder as Record<string, unknown>
  const methods = names.filter((name) => typeof members[name] === 'function')
  return Object.fromEntries(methods.map((name) => [name, of(members[name] as Method)]))
}

/** What gives the base gives the bound one instead, so that a chain of calls does not leave it. */
function onBase(method: Method, base: DataSource, bound: DataSource): Method {
  const kept = (result: unknown) => (result === base ? bound : result)
  return (...args) => {
    const result = method.apply(base, args)
    return result instanceof Promise ? result.then(kept) : kept(result)
  }
}

/** What leads from the driver to statements is of the bound data source, but the schema builder, which is of no tenant. */
function driverOf(bound: DataSource, createQueryRunner: Create): DataSource['driver'] {
  const { driver } = bound
  const own: DataSource['driver'] = Object.create(driver)
  // TypeORM 1 has `dataSource`, 0.3 `connection`.
  const source = 'dataSource' in driver ? 'dataSource' : 'connection'
  defineAll(own, {
    createQueryRunner,
    createSchemaBuilder: driver.createSchemaBuilder.bind(driver),
    [source]: bound,
  })
  return own
}

/** It sends its queries by the bound data source. */
function idLoaderOf(bound: DataSource): DataSource['relationIdLoader'] {
  const Loader = bound.relationIdLoader.constructor
  return new (Loader as new (dataSource: DataSource) => DataSource['relationIdLoader'])(bound)
}

/** As members of their own are: they can be replaced, though TypeScript calls some readonly. */
function defineAll(holder: object, members: object): void {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(holder, name, { value, writable: true, configurable: true, enumerable: true })
  }
}
