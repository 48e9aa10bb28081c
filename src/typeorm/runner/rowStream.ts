import type { EventEmitter } from 'node:events'
import { finished, Readable } from 'node:stream'

/** Rows that are decrypted at once, at most: of those that are there already, so that none waits for another. */
const MOST_ROWS = 100

export interface StreamSource {
  readonly rows: Readable
  /** Emits `end`, after which the rows would be waited for in vain. */
  readonly connection: EventEmitter
}

export interface StreamCallbacks {
  readonly onEnd?: (() => void) | undefined
  readonly onError?: ((error: Error) => void) | undefined
}

type Rows = readonly object[]

/**
 * A stream of rows as `read` gives them. One that nobody reads to its end is ended by `destroy()`, as by leaving
 * `for await`: the query behind it ends then, and one of the callbacks hears of it, so that its connection is released.
 */
export function decryptedStream(
  { rows: source, connection }: StreamSource,
  read: (rows: Rows) => Rows | Promise<Rows>,
  { onEnd, onError }: StreamCallbacks,
): Readable {
  const batches = batchesOf(source)
  const stream: Readable = new Readable({
    objectMode: true,
    read: () => {
      nextRows(batches, read).then(
        (rows) => pushAll(stream, rows),
        (error) => stream.destroy(error),
      )
    },
    destroy: (error, done) => {
      source.destroy()
      done(error)
    },
  })
  const onLost = () => {
    stream.destroy(source.errored ?? new Error('Connection terminated unexpectedly'))
    settle()
  }
  // An error that comes when the end is told already would end the process if nobody listened.
  source.on('error', () => {})
  const stopWatching = finished(source, { writable: false }, () => settle())
  const settle = () => {
    stopWatching()
    connection.off('end', onLost)
    const error = stream.errored ?? source.errored
    if (error && !isAbandoning(error)) onError?.(error)
    else onEnd?.()
  }
  connection.once('end', onLost)
  return stream
}

/** What Node.js gives for an error where `for await` is left before the end. */
function isAbandoning({ name }: Error): boolean {
  return name === 'AbortError'
}

function pushAll(stream: Readable, rows: Rows | undefined): void {
  if (rows === undefined) stream.push(null)
  else for (const row of rows) stream.push(row)
}

/** Of a batch nothing may be left: rows that a short index found by mistake are none. */
async function nextRows(
  batches: AsyncIterator<Rows>,
  read: (rows: Rows) => Rows | Promise<Rows>,
): Promise<Rows | undefined> {
  for (;;) {
    const { done, value } = await batches.next()
    if (done) return undefined
    const rows = await read(value)
    if (rows.length > 0) return rows
  }
}

async function* batchesOf(source: Readable): AsyncGenerator<Rows> {
  let rows: object[] = []
  for await (const row of source) {
    rows.push(row)
    if (rows.length < MOST_ROWS && source.readableLength > 0) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}
