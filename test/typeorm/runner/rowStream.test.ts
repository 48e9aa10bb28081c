import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { type StreamCallbacks, decryptedStream as streamFrom } from '../../../src/typeorm/runner/rowStream.js'

interface Row {
  readonly id: number
}

const row = (id: number): Row => ({ id })
const rows = (count: number) => Array.from({ length: count }, (_, id) => row(id))
const same = async (given: readonly object[]) => given

const connection = new EventEmitter()
const decryptedStream = (rows: Readable, read: Parameters<typeof streamFrom>[1], callbacks: StreamCallbacks) =>
  streamFrom({ rows, connection }, read, callbacks)

function callbacks() {
  return { onEnd: jest.fn(), onError: jest.fn() }
}

/** Has rows as a cursor has them, so many at a time. */
function cursor(all: readonly Row[], step = 100): Readable & { readonly given: () => number } {
  let given = 0
  const stream = new Readable({
    objectMode: true,
    highWaterMark: step,
    async read(size) {
      await setImmediate()
      const next = all.slice(given, given + size)
      given += next.length
      for (const each of next) this.push(each)
      if (next.length < size) this.push(null)
    },
  })
  return Object.assign(stream, { given: () => given })
}

describe('a stream of rows', () => {
  it('gives them read, in order, in small batches of those that are there', async () => {
    const sizes: number[] = []
    const read = async (given: readonly object[]) => {
      sizes.push(given.length)
      await setImmediate()
      return given.map((each) => ({ ...each, isRead: true }))
    }
    const told = callbacks()
    const all = await decryptedStream(cursor(rows(1_000)), read, told).toArray()
    expect(all).toEqual(rows(1_000).map((each) => ({ ...each, isRead: true })))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100)
    expect(sizes.length).toBeLessThan(100)
    expect([told.onEnd.mock.calls.length, told.onError.mock.calls.length]).toEqual([1, 0])
  })

  it('outlives an error that comes after the connection is lost', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined })
    const lost = new EventEmitter()
    const stream = streamFrom({ rows: source, connection: lost }, same, callbacks())
    const ended = once(stream, 'error')
    lost.emit('end')
    expect(await ended).toMatchObject([{ message: 'Connection terminated unexpectedly' }])
    expect(() => source.emit('error', new Error('write EPIPE'))).not.toThrow()
  })

  it('gives a row at once where no other is there yet', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined })
    const stream = decryptedStream(source, same, callbacks())
    const first = once(stream, 'data')
    source.push(row(1))
    expect(await first).toEqual([row(1)])
    stream.destroy()
  })

  it('goes on where a whole batch has no row left', async () => {
    const some = async (given: readonly object[]) => given.filter((each) => (each as Row).id >= 500)
    expect(await decryptedStream(cursor(rows(502)), some, {}).toArray()).toEqual([row(500), row(501)])
  })

  it('reads no further than its reader', async () => {
    const source = cursor(rows(10_000), 10)
    const stream = decryptedStream(source, same, {})
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    // As many turns as it would need to read everything.
    for (let turn = 0; turn < 10_000; turn += 1) await setImmediate()
    expect(source.given()).toBeLessThan(200)
    stream.destroy()
  })

  it.each<[how: string, leave: (stream: Readable) => unknown]>([
    ['destroyed', (stream) => void stream.on('data', () => stream.destroy())],
    ['destroyed before a row was read', (stream) => void stream.destroy()],
    [
      'left by break',
      async (stream) => {
        for await (const _ of stream) break
      },
    ],
  ])('ends its source when it is %s, and one callback hears of it', async (_, leave) => {
    const source = cursor(rows(10_000))
    const told = callbacks()
    await leave(decryptedStream(source, same, told))
    await once(source, 'close')
    await setImmediate()
    expect([told.onEnd.mock.calls.length, told.onError.mock.calls.length]).toEqual([1, 0])
  })

  it('is destroyed also while it waits for a row that does not come', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined })
    const told = callbacks()
    const stream = decryptedStream(source, same, told)
    stream.on('data', () => undefined)
    await setImmediate()
    stream.destroy()
    await once(stream, 'close')
    await setImmediate()
    expect(source.destroyed).toBe(true)
    expect(told.onEnd).toHaveBeenCalledTimes(1)
  })

  it('fails as its source does', async () => {
    const source = cursor(rows(10_000))
    const told = callbacks()
    const stream = decryptedStream(source, same, told)
    const error = new Error('connection lost')
    stream.once('data', () => source.destroy(error))
    await expect(stream.toArray()).rejects.toBe(error)
    await setImmediate()
    expect(told.onError.mock.calls).toEqual([[error]])
    expect(told.onEnd).not.toHaveBeenCalled()
  })

  it('fails where its connection ends, which its source need not hear of', async () => {
    const source = new Readable({ objectMode: true, read: () => undefined, destroy: () => undefined })
    const told = callbacks()
    const all = decryptedStream(source, same, told).toArray()
    await setImmediate()
    connection.emit('end')
    await expect(all).rejects.toThrow('Connection terminated unexpectedly')
    expect([told.onEnd.mock.calls.length, told.onError.mock.calls.length]).toEqual([0, 1])
  })

  it('leaves nothing on its connection', () => expect(connection.listenerCount('end')).toBe(0))

  it('fails where a row cannot be read, and ends its source', async () => {
    const source = cursor(rows(1_000))
    const told = callbacks()
    const error = new Error('another tenant’s')
    const stream = decryptedStream(source, () => Promise.reject(error), told)
    await expect(stream.toArray()).rejects.toBe(error)
    if (!source.closed) await once(source, 'close')
    await setImmediate()
    expect(told.onError.mock.calls).toEqual([[error]])
    expect(told.onEnd).not.toHaveBeenCalled()
  })
})
