import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { Readable } from 'node:stream'
import type { Client } from 'pg'
import type { QueryRunner } from 'typeorm'
import { auditRefusal } from '../../client/audit.js'
import type { BindingSource } from '../../client/clientBinding.js'
import { fetchKeys } from '../../client/transactionKeys.js'
import { debugStep, isDebugging, routed } from '../../debug.js'
import { FieldsealError } from '../../errors.js'
import { own } from '../../own.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import type { EncryptedStatement } from '../../sql/statementEncryption.js'
import type { DataSourceEncryption } from '../dataSourceEncryption.js'
import { HandledPromise } from '../handledPromise.js'
import type { RunningEncryption } from '../runningEncryption.js'
import { readResult, rowsIn } from './queryResult.js'
import { decryptedStream, type StreamCallbacks } from './rowStream.js'

/** What of a runner sends statements. */
interface Sending {
  query(text: string, parameters?: unknown[], structured?: boolean): Promise<unknown>
  stream(
    text: string,
    parameters?: unknown[],
    onEnd?: StreamCallbacks['onEnd'],
    onError?: StreamCallbacks['onError'],
  ): Promise<Readable>
  startTransaction(...isolation: unknown[]): Promise<void>
}

interface Streamed {
  readonly text: string
  readonly parameters: unknown[] | undefined
  readonly callbacks: StreamCallbacks
}

type Method = 'query' | 'stream'

/**
 * Has a runner encrypt what it sends and decrypt what it gets: everything that TypeORM does to a database passes here.
 *
 * @param binding of the bound data source that it is of, if it is
 */
export function encryptRunner(
  runner: QueryRunner,
  encryption: DataSourceEncryption,
  binding: BindingSource | undefined,
): void {
  const sending = runner as unknown as Sending
  const { query, stream, startTransaction } = sending
  /** `undefined`: TypeORM is to answer, who refuses a runner that was released, or no connection. */
  const current = () => (runner.isReleased ? undefined : encryption.current())
  const prepare = (running: RunningEncryption, text: string, parameters: unknown[] | undefined) => {
    checkText(text)
    // TypeORM 1 has an error of its own for parameters that are no list; PostgreSQL’s driver has for 0.3.
    const values = Array.isArray(parameters) ? parameters : undefined
    const begin = () => {
      const statement = { text, values, inTransaction: isInTransaction(runner) }
      return running.statements.prepare(binding ?? running.context.clientBinding, statement)
    }
    const known = running.relatives.before(runner, text)
    return known ? known.then(begin) : begin()
  }
  const send = async (running: RunningEncryption, text: string, parameters?: unknown[], structured?: boolean) => {
    const prepared = prepare(running, text, parameters)
    const statement = prepared instanceof Promise ? await prepared : prepared
    const sent = query.call(runner, statement.text, valuesOf(statement, parameters), structured)
    const result = await (statement.meaningOf ? understood(statement.meaningOf, sent) : sent)
    const noted = running.relatives.after(runner, text)
    if (noted) await noted
    if (isDebugging) debugStep('database', `answered with ${rowsIn(result)?.length ?? 0} rows`)
    return readResult(result, (rows) => statement.read(rows))
  }

  const sendWatched = async (text: string, parameters?: unknown[], structured?: boolean) => {
    const running = await current()
    if (!running) return query.call(runner, text, parameters, structured)
    const work = () => send(running, text, parameters, structured)
    // What is awaited here and not handed on takes fewer turns of the microtask queue.
    return await told(running, { binding, method: 'query', text }, work)
  }

  sending.query = (text, parameters, structured) => {
    const running = encryption.ready()
    // What nobody watches needs no promise of its own around that of what is sent.
    if (running && !runner.isReleased && !isWatched(running)) return send(running, text, parameters, structured)
    return sendWatched(text, parameters, structured)
  }

  const decrypted = async (running: RunningEncryption, { text, parameters, callbacks }: Streamed) => {
    try {
      const statement = await prepare(running, text, parameters)
      // Rows come in the context of the connection, which knows no tenant.
      const inside = AsyncLocalStorage.snapshot()
      const rows = await stream.call(runner, statement.text, valuesOf(statement, parameters))
      const connection: EventEmitter = await runner.connect()
      return decryptedStream({ rows, connection }, (given) => inside(() => statement.read(given)), callbacks)
    } catch (error) {
      // TypeORM does not await streams: who hears of the end only by these would keep the connection.
      if (!runner.isTransactionActive) callbacks.onError?.(error as Error)
      throw error
    }
  }

  sending.stream = (text, parameters, onEnd, onError) => {
    const begin = async () => {
      const running = await current()
      if (!running) return stream.call(runner, text, parameters, onEnd, onError)
      const streamed = { text, parameters, callbacks: { onEnd, onError } }
      return told(running, { binding, method: 'stream', text }, () => decrypted(running, streamed))
    }
    return HandledPromise.of(begin())
  }

  sending.startTransaction = async (...isolation) => {
    const running = runner.isTransactionActive ? undefined : await current()
    if (running) await fetchKeys(boundContext(running, binding), running.scopes)
    return startTransaction.apply(runner, isolation)
  }
}

/** Also in one that somebody began in SQL, of which TypeORM does not know; older versions of `pg` do not either. */
function isInTransaction(runner: QueryRunner): boolean {
  const { databaseConnection } = runner as {
    readonly databaseConnection?: Partial<Pick<Client, 'getTransactionStatus'>>
  }
  const status = databaseConnection?.getTransactionStatus?.()
  return runner.isTransactionActive || status === 'T' || status === 'E'
}

/** An error of the database that the encryption has a better word for is told by that. */
async function understood(meaningOf: EncryptedStatement['meaningOf'], sent: Promise<unknown>): Promise<unknown> {
  try {
    return await sent
  } catch (error) {
    const meaning = meaningOf?.((error as { readonly code?: unknown }).code)
    if (!meaning) throw error
    throw Object.assign(meaning, { cause: error })
  }
}

function boundContext(
  { context }: RunningEncryption,
  binding: BindingSource | undefined,
): RunningEncryption['context'] {
  return binding ? { ...context, clientBinding: binding } : context
}

/** Values that are no list are left to whoever refuses them. */
function valuesOf({ values }: EncryptedStatement, parameters: unknown): unknown[] | undefined {
  return parameters === undefined || Array.isArray(parameters)
    ? (values as unknown[] | undefined)
    : (parameters as unknown[])
}

/** PostgreSQL’s driver takes objects too, and nobody would have looked at their text. */
function checkText(text: unknown): void {
  if (typeof text === 'string') return
  throw new FieldsealError('QUERY_UNSUPPORTED', 'a statement must be a text, with its values beside it')
}

interface Told {
  readonly binding: BindingSource | undefined
  readonly method: Method
  readonly text: string
}

/** Whether anybody is told of refusals, or of the route. */
function isWatched({ context }: RunningEncryption): boolean {
  return isDebugging || context.auditTrail !== undefined
}

/** Has refusals told to the audit, and the route printed where it is asked for. */
function told<T>(running: RunningEncryption, { binding, method, text }: Told, work: () => Promise<T>): Promise<T> {
  const model = (refusal: FieldsealError) => modelNamedIn(refusal, running.schema)
  const run = running.context.auditTrail
    ? () => auditRefusal(boundContext(running, binding), { model, operation: method }, work)
    : work
  return isDebugging ? routed(`${method} ${firstWord(text)}`, run) : run()
}

/** A refusal names the column that it is about, if it is about one. */
function modelNamedIn({ message }: FieldsealError, { models }: EncryptionSchema): string {
  const names = message.match(/\w+(?=\.\w)/g) ?? []
  return names.find((name) => own(models, name) !== undefined) ?? ''
}

function firstWord(text: unknown): string {
  return /^\W*(\w+)/.exec(String(text))?.[1]?.toUpperCase() ?? ''
}
