import type { DataSource } from 'typeorm'
import { FieldsealError } from '../errors.js'
import type { DataSourceEncryption } from './dataSourceEncryption.js'

type ResultCache = NonNullable<DataSource['queryResultCache']>

/** TypeORM names a cached result by its statement and this, with the values in JSON behind it: in SQL, a comment. */
const VALUES = ' -- PARAMETERS: '
/** What is asked of a cache, and what is given to it. */
const GUARDED = new Set<PropertyKey>(['getFromCache', 'storeInCache'])
/** What passes the cache by is not in it, and is not stored. */
const NOTHING = Promise.resolve(undefined)
/** TypeORM's own, of milliseconds. */
const USUAL_DURATION = 1_000

/** What TypeORM asks and gives the cache by. */
interface Entry {
  readonly identifier?: string
  readonly query?: string
  readonly duration?: number
}

/** Keeps values of encrypted columns out of the data source's result cache, also of one that `setOptions` makes later. */
export function guardResultCache(dataSource: DataSource, encryption: DataSourceEncryption): void {
  const isKept = (entry: Entry): boolean => {
    if (!isSensitive(entry, encryption)) return true
    if (isAskedFor(entry, dataSource)) throw refusedCaching()
    return false
  }
  let cache = guarded(dataSource.queryResultCache, isKept)
  Object.defineProperty(dataSource, 'queryResultCache', {
    configurable: true,
    enumerable: true,
    get: () => cache,
    set: (given: ResultCache | undefined) => {
      cache = guarded(given, isKept)
    },
  })
}

/** A cache of an application's own may serve other data sources too: it is left as it is. */
function guarded(cache: ResultCache | undefined, isKept: (entry: Entry) => boolean): ResultCache | undefined {
  return (
    cache &&
    new Proxy(cache, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) =>
          GUARDED.has(name) && !isKept(args[0] as Entry) ? NOTHING : member.apply(target, args)
      },
    })
  )
}

function isSensitive({ query }: Entry, encryption: DataSourceEncryption): boolean {
  const end = query?.lastIndexOf(VALUES) ?? -1
  const text = end < 0 ? query : query!.slice(0, end)
  return text !== undefined && (encryption.ready()?.statements.isSensitive(text) ?? false)
}

/**
 * Whether a query says itself that it is to be cached. Where `alwaysEnabled` is set all are, unless they say otherwise: then
 * only a name or duration of its own tells one that does, and `cache: true` asks for no more than it would get anyway.
 */
function isAskedFor({ identifier, duration }: Entry, { options }: DataSource): boolean {
  const settings = typeof options.cache === 'object' ? options.cache : {}
  if (!settings.alwaysEnabled || identifier !== undefined) return true
  return duration !== (settings.duration || USUAL_DURATION) && duration !== settings.duration
}

function refusedCaching(): FieldsealError {
  const message = 'the result cache would keep values of encrypted columns in plaintext: leave out "cache" here'
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}
