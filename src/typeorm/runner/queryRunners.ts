import type { DataSource, QueryRunner, ReplicationMode } from 'typeorm'
import type { BindingSource } from '../../client/clientBinding.js'
import { FieldsealError } from '../../errors.js'
import type { DataSourceEncryption } from '../dataSourceEncryption.js'
import { encryptRunner } from './queryRunner.js'

/** A bound data source that wants a runner. */
interface Wish {
  readonly owner: DataSource
  readonly binding: BindingSource
  isMet: boolean
}

/**
 * Makes the runners of a data source, and those of the data sources that are bound from it. Others may have wrapped
 * `createQueryRunner` before, or wrap it afterwards: a bound data source asks for its runners where everybody does, and
 * the wish goes beside the call, since the outermost of them gives what we have no name for.
 */
export class QueryRunners {
  readonly #dataSource: DataSource
  readonly #encryption: DataSourceEncryption
  readonly #create: DataSource['createQueryRunner']
  readonly #encrypted = new WeakSet<QueryRunner>()
  #wish: Wish | undefined

  constructor(dataSource: DataSource, encryption: DataSourceEncryption) {
    this.#dataSource = dataSource
    this.#encryption = encryption
    this.#create = dataSource.createQueryRunner
  }

  /** What stands in the place of `createQueryRunner` of the data source. */
  create(mode?: ReplicationMode): QueryRunner {
    const wish = this.#wish
    // TypeORM makes the runner's manager by whom it is called on.
    const runner = this.#create.call(wish?.owner ?? this.#dataSource, mode)
    if (this.#encrypted.has(runner)) throw givenTwice()
    this.#encrypted.add(runner)
    encryptRunner(runner, this.#encryption, wish?.binding)
    if (wish) {
      own(runner, wish.owner)
      wish.isMet = true
    }
    return runner
  }

  /** A runner of a bound data source, by whatever `createQueryRunner` is now. */
  createFor(owner: DataSource, binding: BindingSource, mode: ReplicationMode | undefined): QueryRunner {
    const around = this.#wish
    const wish = { owner, binding, isMet: false }
    this.#wish = wish
    try {
      const runner = this.#dataSource.createQueryRunner(mode)
      if (wish.isMet) return runner
    } finally {
      this.#wish = around
    }
    throw givenTwice()
  }
}

/** Whatever is reached from the runner is of the bound data source: its manager, and what subscribers are given. */
function own(runner: QueryRunner, owner: DataSource): void {
  // The manager makes itself the runner's.
  if (runner.manager.connection !== owner) owner.createEntityManager(runner)
  // TypeORM 1 has `dataSource`, 0.3 `connection`.
  const named = runner as { dataSource?: DataSource; connection?: DataSource }
  if (Object.hasOwn(named, 'dataSource')) named.dataSource = owner
  if (Object.hasOwn(named, 'connection')) named.connection = owner
}

/** Whose it is could not be told. */
function givenTwice(): FieldsealError {
  const message =
    'something that wraps createQueryRunner of this data source gave a runner that is in use already, so that its tenant is not known: it must make one each time'
  return new FieldsealError('OPTIONS_INVALID', message)
}
