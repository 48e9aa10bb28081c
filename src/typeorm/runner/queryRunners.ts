import { AsyncLocalStorage } from 'node:async_hooks'
import type { DataSource, QueryRunner } from 'typeorm'
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

/** By what a runner is encrypted. As one is made for each operation, a `WeakSet` of them would keep the garbage collector busy. */
const ENCRYPTED_BY = Symbol('encrypted by')

/**
 * Makes the runners of a data source and of its driver, and those of the data sources that are bound from it. Others may
 * have wrapped `createQueryRunner` before, or wrap it afterwards: a bound data source asks for its runners where everybody
 * does, and the wish goes beside the call, since the outermost of them gives what we have no name for.
 */
export class QueryRunners {
  readonly #encryption: DataSourceEncryption
  /**
   * The driver asks the database for its version, before there is anything to encrypt with. What happens on the connections
   * that it opens then runs in that context for ever, so that the context alone does not say it.
   */
  readonly #connecting = new AsyncLocalStorage<{ isOver: boolean }>()
  /** The driver makes what the data source is to give, and what others have put between the two stays under the encryption. */
  #isInside = false
  #wish: Wish | undefined

  constructor(encryption: DataSourceEncryption) {
    this.#encryption = encryption
  }

  /** Has a data source, and its driver, make runners that encrypt. */
  takeOver(dataSource: DataSource): void {
    const { driver } = dataSource
    const create = dataSource.createQueryRunner.bind(dataSource)
    const createByDriver = driver.createQueryRunner.bind(driver)
    const connect = driver.connect.bind(driver)
    dataSource.createQueryRunner = (mode) => this.#encrypt(this.#inside(() => create(mode)))
    driver.createQueryRunner = (mode) => {
      const runner = createByDriver(mode)
      return this.#isInside || this.#connecting.getStore()?.isOver === false ? runner : this.#encrypt(runner)
    }
    driver.connect = () => this.#connect(connect)
  }

  /** A runner of a bound data source, by whatever `createQueryRunner` of its base, or of the driver, is now. */
  createFor(owner: DataSource, binding: BindingSource, create: () => QueryRunner): QueryRunner {
    const around = this.#wish
    const wish = { owner, binding, isMet: false }
    this.#wish = wish
    try {
      const runner = create()
      if (wish.isMet) return runner
    } finally {
      this.#wish = around
    }
    throw givenTwice()
  }

  async #connect(connect: () => Promise<void>): Promise<void> {
    const connecting = { isOver: false }
    try {
      await this.#connecting.run(connecting, connect)
    } finally {
      connecting.isOver = true
      // As long as it is on, every promise of the process takes longer.
      this.#connecting.disable()
    }
  }

  #inside(create: () => QueryRunner): QueryRunner {
    const around = this.#isInside
    this.#isInside = true
    try {
      return create()
    } finally {
      this.#isInside = around
    }
  }

  #encrypt(runner: QueryRunner): QueryRunner {
    const wish = this.#wish
    const marked: { [ENCRYPTED_BY]?: QueryRunners } = runner as never
    if (Object.hasOwn(marked, ENCRYPTED_BY) && marked[ENCRYPTED_BY] === this) throw givenTwice()
    marked[ENCRYPTED_BY] = this
    encryptRunner(runner, this.#encryption, wish?.binding)
    if (wish) {
      own(runner, wish.owner)
      wish.isMet = true
    }
    return runner
  }
}

/** Whatever is reached from the runner is of the bound data source: its manager, and what subscribers are given. */
function own(runner: QueryRunner, owner: DataSource): void {
  // The manager makes itself the runner's.
  owner.createEntityManager(runner)
  // TypeORM 1 has `dataSource`, 0.3 `connection`.
  const named = runner as { dataSource?: DataSource; connection?: DataSource; driver?: DataSource['driver'] }
  if (Object.hasOwn(named, 'dataSource')) named.dataSource = owner
  if (Object.hasOwn(named, 'connection')) named.connection = owner
  if (Object.hasOwn(named, 'driver')) named.driver = owner.driver
}

/** Whose it is could not be told. */
function givenTwice(): FieldsealError {
  const message =
    'something that wraps createQueryRunner of this data source gave a runner that is in use already, so that its tenant is not known: it must make one each time'
  return new FieldsealError('OPTIONS_INVALID', message)
}
