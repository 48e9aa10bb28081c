import type { DataSource } from 'typeorm'
import { FieldsealError } from '../errors.js'
import type { CacheFigures } from '../keys/events.js'
import type { DataSourceEncryptionOptions } from './dataSourceOptions.js'
import { endPool } from './keys/pool.js'
import { type RunningEncryption, runEncryption } from './runningEncryption.js'

/** The encryption of a data source, from one `initialize()` to its `destroy()`, and to the next. */
export class DataSourceEncryption {
  readonly #dataSource: DataSource
  readonly #options: DataSourceEncryptionOptions
  #running: RunningEncryption | Promise<RunningEncryption> | undefined
  /** What was counted before the last `destroy()`: who watches counters never sees them fall. */
  #counted: Omit<CacheFigures, 'cachedDeks'> = { cacheHits: 0, cacheMisses: 0 }
  #isWatched = false

  constructor(dataSource: DataSource, options: DataSourceEncryptionOptions) {
    this.#dataSource = dataSource
    this.#options = options
  }

  /**
   * What statements are encrypted with. While it is put together, statements wait for it; before `initialize()` and
   * after `destroy()` there is none, and no connection for statements either.
   *
   * @throws FieldsealError `OPTIONS_INVALID` in between: TypeORM connects before it knows the entities, and what somebody
   * sends meanwhile who has not awaited `initialize()` would not be encrypted
   */
  current(): RunningEncryption | Promise<RunningEncryption> | undefined {
    const { isInitialized, driver } = this.#dataSource
    if (isInitialized) return this.#running
    if ((driver as { readonly master?: object }).master) throw notInitialized('the statement is not sent')
    return undefined
  }

  /** The same, for what cannot wait. */
  ready(): RunningEncryption | undefined {
    const running = this.#dataSource.isInitialized ? this.#running : undefined
    return running instanceof Promise ? undefined : running
  }

  /** @throws FieldsealError `OPTIONS_INVALID` for a data source that is not initialised */
  required(): RunningEncryption {
    const running = this.ready()
    if (running) return running
    throw notInitialized('encryptionOf has nothing to work with')
  }

  /** Begins with the metadata of the entities, which `buildMetadatas` makes. */
  async start(buildMetadatas: () => Promise<void>): Promise<void> {
    const starting = buildMetadatas().then(() => runEncryption(this.#dataSource, this.#options))
    this.#running = starting
    this.#running = await starting
    if (!this.#isWatched) this.#options.telemetry?.watch?.(() => this.#figures())
    this.#isWatched = true
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#counted = this.#figures()
    this.#running = undefined
    const keys = await Promise.resolve(running).then(
      (ended) => ended?.keys,
      () => undefined,
    )
    await keys?.close()
    await endPool(this.#dataSource)
  }

  /** Of all its lives, for who is told once how to read them. */
  #figures(): CacheFigures {
    const { cacheHits, cacheMisses } = this.#counted
    const running = this.#running instanceof Promise ? undefined : this.#running?.figures()
    return {
      cachedDeks: running?.cachedDeks ?? 0,
      cacheHits: cacheHits + (running?.cacheHits ?? 0),
      cacheMisses: cacheMisses + (running?.cacheMisses ?? 0),
    }
  }
}

function notInitialized(what: string): FieldsealError {
  const message = `${what}: the data source is not initialised; await dataSource.initialize() first`
  return new FieldsealError('OPTIONS_INVALID', message)
}
