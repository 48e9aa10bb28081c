import { FieldsealError } from '../errors.js'
import type { ClientContext } from './clientContext.js'
import { withTimeLimit } from './timeLimit.js'

/**
 * Limits the wait for a key inside a transaction: it holds a connection, and the keys table needs a second one, which may
 * never come free.
 *
 * @param what waits for it, as a message names it
 */
export function limitKeyWait<T>(
  context: Pick<ClientContext, 'keyStoreWaits' | 'transactionWait'>,
  inTransaction: boolean,
  what: string,
  keys: Promise<T>,
): Promise<T> {
  if (!inTransaction) return keys
  return withTimeLimit(keys, context.transactionWait, () => keysTimedOut(context, what))
}

function keysTimedOut(
  { keyStoreWaits, transactionWait }: Pick<ClientContext, 'keyStoreWaits' | 'transactionWait'>,
  what: string,
): FieldsealError {
  const message =
    `the key of ${what} is not in memory and could not be had within ${transactionWait} ms inside the ` +
    'interactive transaction'
  return keyStoreWaits()
    ? new FieldsealError(
        'KEY_STORE_UNAVAILABLE',
        `${message}: the keys table needs a second connection. Give the pool more of them, or use the tenant once before the transaction`,
      )
    : new FieldsealError(
        'KMS_UNAVAILABLE',
        `${message}: the KMS has not answered yet. Look at its status and the network`,
      )
}
