import type { DataSource } from 'typeorm'
import type { OptionsBeforeSchema } from '../client/options.js'
import { FieldsealError } from '../errors.js'
import { type RunningEncryption, runEncryption } from './runningEncryption.js'

/** The encryption of a data source, from one `initialize()` to its `destroy()`, and to the next. */
export class DataSourceEncryption {
  readonly #dataSource: DataSource
  readonly #options: OptionsBeforeSchema
  #running: RunningEncryption | Promise<RunningEncryption> | undefined

  constructor(dataSource: DataSource, options: OptionsBeforeSchema) {
    this.#dataSource = dataSource
    this.#options = options
  }

  /**
   * What statements are encrypted with. While it is put together, statements wait for it; before `initialize()` and
   * after `destroy()` there is none, and no statement reaches a database.
   */
  current(): RunningEncryption | Promise<RunningEncryption> | undefined {
    return this.#dataSource.isInitialized ? this.#running : undefined
  }

  /** The same, for what cannot wait. */
  ready(): RunningEncryption | undefined {
    const current = this.current()
    return current instanceof Promise ? undefined : current
  }

  /** @throws FieldsealError `OPTIONS_INVALID` for a data source that is not initialised */
  required(): RunningEncryption {
    const running = this.ready()
    if (running) return running
    const message = 'encryptionOf: the data source is not initialised: await dataSource.initialize() first'
    throw new FieldsealError('OPTIONS_INVALID', message)
  }

  /** Begins with the metadata of the entities, which `buildMetadatas` makes. */
  async start(buildMetadatas: () => Promise<void>): Promise<void> {
    const starting = buildMetadatas().then(() => runEncryption(this.#dataSource, this.#options))
    this.#running = starting
    this.#running = await starting
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    const keys = await Promise.resolve(running).then(
      (ended) => ended?.keys,
      () => undefined,
    )
    await keys?.close()
  }
}
