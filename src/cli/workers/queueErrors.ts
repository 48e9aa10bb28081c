import { FieldsealError } from '../../errors.js'
import { printable } from '../../printable.js'
import { rightToRemake } from './queueSchema.js'

/** @throws FieldsealError `DATABASE_UNAVAILABLE` for whatever else the work of the queue throws */
export async function withDatabaseErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (FieldsealError.is(cause)) throw cause
    const { code, message } = cause as { code?: unknown; message?: unknown }
    const hint =
      code === '42501'
        ? `Its user lacks a right. Have an administrator run this once, in this database: ${rightToRemake('…')}, with that user's name`
        : 'Run the command again once it can: it goes on where it stopped'
    const what = `the queue of workers could not be used: ${printable(message ?? cause)}. ${hint}`
    throw new FieldsealError('DATABASE_UNAVAILABLE', what, { cause })
  }
}

/** What ends a worker, Graphile Worker throws; it also prints it with its stack, past its logger. */
export async function withoutTraces<T>(work: () => Promise<T>): Promise<T> {
  const { trace } = console
  console.trace = () => {}
  try {
    return await work()
  } finally {
    console.trace = trace
  }
}
