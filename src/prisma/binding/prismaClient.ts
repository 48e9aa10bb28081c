import { FieldsealError } from '../../errors.js'

/*
 * What is used of Prisma's client that Prisma does not document (`_extensions`, `_originalClient`, `_createPrismaPromise`).
 * All of it is here, and is checked when a client is extended, so that a Prisma that differs is told at once.
 */

/** What `$extends` takes: a part of each of the four kinds. */
export interface Extension {
  readonly name?: string | undefined
  readonly client?: Members | undefined
  readonly model?: { readonly [model: string]: Members } | undefined
  readonly query?: object | undefined
  readonly result?: { readonly [model: string]: { readonly [field: string]: ComputedField } } | undefined
}

export type Members = { readonly [name: string]: unknown }

export interface ComputedField {
  readonly needs?: object | undefined
  readonly compute: unknown
}

interface ExtensionNode {
  readonly extension: Extension
  readonly previous?: ExtensionNode | undefined
}

export interface PrismaClientLike {
  readonly _originalClient: PrismaClientLike
  readonly _extensions: { readonly head?: ExtensionNode | undefined }
  readonly _runtimeDataModel?: object
  readonly _createPrismaPromise: unknown
  $extends(extension: unknown): PrismaClientLike
}

export function isPrismaClient(value: unknown): value is PrismaClientLike {
  return typeof value === 'object' && value !== null && '_originalClient' in value && '_extensions' in value
}

/** The extensions of a client, in the order in which they were applied. */
export function extensionsOf(client: PrismaClientLike): Extension[] {
  const extensions: Extension[] = []
  for (let node = client._extensions.head; node; node = node.previous) extensions.unshift(node.extension)
  return extensions
}

/** The client without any extension, and whether it is that of a transaction. */
export interface Root {
  readonly client: PrismaClientLike
  readonly inTransaction: boolean
}

/**
 * What the extensions of a client are to be applied to again. Of a transaction's client that is a copy of the client
 * without extensions whose queries run in the transaction.
 */
export function rootOf(client: PrismaClientLike): Root {
  const original = client._originalClient
  const inTransaction = Object.hasOwn(original, IN_TRANSACTION)
  if (inTransaction || client._createPrismaPromise === original._createPrismaPromise)
    return { client: original, inTransaction }
  return { client: rootInTransaction(client, original), inTransaction: true }
}

const IN_TRANSACTION = Symbol('of a transaction')

/**
 * What Prisma itself puts over a transaction's client is how its queries are made, and a symbol of its own by which
 * transactions nest, which can be read but not found.
 */
function rootInTransaction(client: PrismaClientLike, original: PrismaClientLike): PrismaClientLike {
  const prototype = new Proxy(Object.getPrototypeOf(original) as object, {
    get: (target, key, root) => Reflect.get(typeof key === 'symbol' ? client : target, key, root),
  })
  const root = Object.create(prototype, Object.getOwnPropertyDescriptors(original)) as PrismaClientLike
  const { _createPrismaPromise } = client
  return Object.assign(root, { _createPrismaPromise, _originalClient: root, [IN_TRANSACTION]: true })
}

/** The names that the client of a transaction has not. */
const NOT_IN_TRANSACTION: ReadonlySet<PropertyKey> = new Set(['$connect', '$disconnect', '$on', '$use', '$extends'])

/** The client as a transaction hands it over: without what would end or leave the transaction. */
export function withinTransaction<Client extends object>(client: Client): Client {
  return new Proxy(client, {
    get: (target, key) => (NOT_IN_TRANSACTION.has(key) ? undefined : Reflect.get(target, key)),
    has: (target, key) => !NOT_IN_TRANSACTION.has(key) && Reflect.has(target, key),
  })
}

/** Has `$parent` lead nowhere else, as it does on the client without extensions. */
export function makeOwnParent(client: PrismaClientLike): void {
  Object.defineProperty(client, '_appliedParent', { value: client, configurable: true })
}

/**
 * @param extended a client that was just extended with `extension`
 * @throws FieldsealError `OPTIONS_INVALID` when Prisma does not keep its extensions as is known
 */
export function checkInternals(extended: unknown, extension: object): void {
  if (isPrismaClient(extended) && extended._extensions.head?.extension === extension) return
  throw new FieldsealError(
    'OPTIONS_INVALID',
    'this Prisma client keeps its extensions in another way than fieldseal knows, so that no client could be bound to a ' +
      'tenant: use @prisma/client 7.10, or look for a newer fieldseal',
  )
}
