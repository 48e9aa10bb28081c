import { decrypt, encrypt, latestVersion, NotAuthentic, type TransitKey } from './transitKey.js'
import { refused, together, VaultError } from './vaultError.js'

/** The body of a request, or one item of it. */
export type Fields = { readonly [field: string]: unknown }

/** What a path of the API answers. */
export interface PathAnswer {
  /** 200 unless given. */
  readonly status?: number
  /** None: the answer is a 204. */
  readonly data?: object
  readonly auth?: object
  readonly warnings?: readonly string[]
  readonly encryptionContext?: string | undefined
}

export type BatchOperation = 'encrypt' | 'decrypt' | 'rewrap'

type Run = (key: TransitKey, item: Fields, context: Buffer) => object

const runs: { readonly [Operation in BatchOperation]: Run } = {
  encrypt: (key, item, context) => {
    const plaintext = base64Of(item.plaintext, 'missing plaintext to encrypt')
    return encrypted(key, plaintext, context, item.key_version)
  },
  decrypt: (key, item, context) => ({ plaintext: decrypt(key, textOf(item), context).toString('base64') }),
  rewrap: (key, item, context) => encrypted(key, decrypt(key, textOf(item), context), context, item.key_version),
}

/** `encrypt`, `decrypt` and `rewrap`, of one or of many: https://developer.hashicorp.com/vault/api-docs/secret/transit */
export function runBatch(operation: BatchOperation, key: TransitKey, body: Fields): PathAnswer {
  const many = body.batch_input
  const items = many === undefined ? [body] : itemsOf(many)
  const withContext = isText(items[0]?.context)
  if (items.some(({ context }) => isText(context) !== withContext))
    throw refused('context should be set either in all the request blocks or in none')
  const encryptionContext = withContext ? Buffer.from(String(items[0]?.context), 'base64').toString() : undefined
  if (many === undefined) return { data: runOne(operation, key, body), encryptionContext }
  return { ...runMany(operation, key, items, body), encryptionContext }
}

function runOne(operation: BatchOperation, key: TransitKey, body: Fields): object {
  try {
    return runs[operation](key, body, contextOf(body))
  } catch (error) {
    throw operation === 'rewrap' && error instanceof NotAuthentic ? wholeRefused(error) : error
  }
}

/** One that fails is a status of 400 for all of them, unless the request wants another one; the others are answered. */
function runMany(operation: BatchOperation, key: TransitKey, items: readonly Fields[], body: Fields): PathAnswer {
  const results = items.map((item) => resultOf(operation, key, item))
  const failed = results.filter((result) => 'error' in result).length
  const data = { batch_results: results }
  // `rewrap` tells of failed items with a status of 200.
  if (failed === 0 || operation === 'rewrap') return { data }
  const wished = Number(body.partial_failure_response_code ?? 400)
  return { data, status: failed < items.length && wished >= 1 && wished <= 599 ? wished : 400 }
}

function resultOf(operation: BatchOperation, key: TransitKey, item: Fields): object {
  const reference = isText(item.reference) ? item.reference : ''
  try {
    return { ...runs[operation](key, item, contextOf(item)), reference }
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    if (operation === 'rewrap' && error instanceof NotAuthentic) throw wholeRefused(error)
    return { ...(operation === 'decrypt' && { plaintext: '' }), error: error.message, reference }
  }
}

/** `rewrap` takes what does not decrypt for an error inside, and gives up on the whole request. */
function wholeRefused(error: VaultError): VaultError {
  return new VaultError(500, [together(error.message)])
}

function encrypted(key: TransitKey, plaintext: Buffer, context: Buffer, version: unknown): object {
  const wished = typeof version === 'number' ? version : 0
  const ciphertext = encrypt(key, plaintext, context, wished)
  return { ciphertext, key_version: wished || latestVersion(key) }
}

export function contextOf({ context }: Fields): Buffer {
  return isText(context) ? base64Of(context, 'missing context') : Buffer.alloc(0)
}

function textOf({ ciphertext }: Fields): string {
  if (isText(ciphertext)) return ciphertext
  throw refused('missing ciphertext to decrypt')
}

function base64Of(value: unknown, missing: string): Buffer {
  if (typeof value !== 'string') throw refused(missing)
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw refused('illegal base64 data at input byte 0')
  return bytes
}

function itemsOf(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) throw new VaultError(500, [together('failed to parse batch input')])
  if (value.length === 0) throw refused('missing batch input to process')
  return value as readonly Fields[]
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
