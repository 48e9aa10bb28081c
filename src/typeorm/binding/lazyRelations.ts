import type { DataSource, EntityManager, EntityMetadata, QueryRunner } from 'typeorm'
import { HandledPromise } from '../handledPromise.js'

type Loader = DataSource['relationLoader']

/** What TypeORM has for itself alone. It calls it for the entities of relations that came along, too. */
interface Broadcaster {
  broadcastLoadEvent(result: unknown, metadata: EntityMetadata, entities: readonly object[]): void
}

/** What makes entities without a runner, outside of transactions. */
const MAKING = ['create', 'merge'] as const

/**
 * Entities load their lazy relations by a loader that their metadata choose: that of the data source. Those of a bound
 * data source are to load them by its own, also when the runner that loaded them has been released.
 */
export class LazyRelations {
  readonly #dataSource: DataSource
  readonly #enable: Loader['enableLazyLoad']
  /** Entities that load by a bound data source. */
  readonly #owned = new WeakSet<object>()
  #owner: DataSource | undefined
  /** The entities of which it is known whether they have any. */
  #known: readonly EntityMetadata[] | undefined
  #exist = false

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource
    this.#enable = dataSource.relationLoader.enableLazyLoad
    dataSource.relationLoader.enableLazyLoad = (...args) => this.#enableFor(...args)
    handleFailures(dataSource.relationLoader)
  }

  /** A loader that sends its queries by a bound data source. */
  loaderOf(bound: DataSource): Loader {
    const Loader = this.#dataSource.relationLoader.constructor as new (dataSource: DataSource) => Loader
    return handleFailures(new Loader(bound))
  }

  /** Has the entities that a bound data source's manager makes load their relations by that data source. */
  keep(manager: EntityManager, owner: DataSource): EntityManager {
    if (this.#none()) return manager
    for (const name of MAKING) {
      const make = manager[name] as (...args: unknown[]) => unknown
      Object.assign(manager, { [name]: (...args: unknown[]) => this.#during(owner, () => make.apply(manager, args)) })
    }
    return manager
  }

  /**
   * Has the entities that a bound data source's runner loads do the same. TypeORM makes them without saying by which
   * runner, unless it is that of a transaction; but the runner is told of them, unless `callListeners(false)` is asked for.
   */
  follow(runner: QueryRunner, owner: DataSource): QueryRunner {
    if (this.#none()) return runner
    const broadcaster = runner.broadcaster as unknown as Broadcaster
    const { broadcastLoadEvent } = broadcaster
    broadcaster.broadcastLoadEvent = (result, metadata, entities) => {
      for (const relation of metadata.lazyRelations) {
        for (const entity of entities) if (!this.#owned.has(entity)) this.#enableBy(owner, relation, entity)
      }
      broadcastLoadEvent.call(broadcaster, result, metadata, entities)
    }
    return runner
  }

  /** Whether no entity has any. Managers may be made before the entities are known. */
  #none(): boolean {
    const { isInitialized, entityMetadatas } = this.#dataSource
    if (isInitialized && this.#known !== entityMetadatas) {
      this.#known = entityMetadatas
      this.#exist = entityMetadatas.some(({ lazyRelations }) => lazyRelations.length > 0)
    }
    return isInitialized && !this.#exist
  }

  #enableFor(...[relation, entity, runner]: Parameters<Loader['enableLazyLoad']>): void {
    const owner = ownerOf(runner) ?? this.#owner ?? this.#dataSource
    if (owner !== this.#dataSource) this.#owned.add(entity)
    this.#enableBy(owner, relation, entity, runner)
  }

  #enableBy(owner: DataSource, ...args: Parameters<Loader['enableLazyLoad']>): void {
    this.#enable.apply(owner.relationLoader, args)
  }

  #during<T>(owner: DataSource, make: () => T): T {
    const around = this.#owner
    this.#owner = owner
    try {
      return make()
    } finally {
      this.#owner = around
    }
  }
}

function handleFailures(loader: Loader): Loader {
  const { load } = loader
  return Object.assign(loader, {
    load: (...args: Parameters<Loader['load']>) => HandledPromise.of(load.apply(loader, args)),
  })
}

/** The data source that a runner is of: TypeORM 1 and 0.3 have one name in common, on its manager. */
function ownerOf(runner: QueryRunner | undefined): DataSource | undefined {
  return (runner?.manager as { readonly connection?: DataSource } | undefined)?.connection
}
