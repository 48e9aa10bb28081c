import type { DataSource, EntityManager, QueryRunner } from 'typeorm'

type Loader = DataSource['relationLoader']

/** What makes entities without a runner, outside of transactions. */
const MAKING = ['create', 'merge'] as const

/**
 * Entities load their lazy relations by a loader that their metadata choose: that of the data source. Those of a bound
 * data source are to load them by its own, also when the runner that loaded them has been released.
 */
export class LazyRelations {
  readonly #dataSource: DataSource
  readonly #enable: Loader['enableLazyLoad']
  #owner: DataSource | undefined

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource
    this.#enable = dataSource.relationLoader.enableLazyLoad
  }

  /** What stands in the place of `enableLazyLoad` of the data source's loader. */
  enable(...[relation, entity, runner]: Parameters<Loader['enableLazyLoad']>): void {
    const owner = ownerOf(runner) ?? this.#owner ?? this.#dataSource
    this.#enable.call(owner.relationLoader, relation, entity, runner)
  }

  /** Has the entities that a bound data source's manager makes load their relations by that data source. */
  keep(manager: EntityManager, owner: DataSource): EntityManager {
    for (const name of MAKING) {
      const make = manager[name] as (...args: unknown[]) => unknown
      Object.assign(manager, { [name]: (...args: unknown[]) => this.#during(owner, () => make.apply(manager, args)) })
    }
    return manager
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

/** The data source that a runner is of: TypeORM 1 and 0.3 have one name in common, on its manager. */
function ownerOf(runner: QueryRunner | undefined): DataSource | undefined {
  return (runner?.manager as { readonly connection?: DataSource } | undefined)?.connection
}
