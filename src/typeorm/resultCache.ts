import type { DataSource } from 'typeorm'
import { FieldsealError } from '../errors.js'
import type { DataSourceEncryption } from './dataSourceEncryption.js'

type ResultCache = NonNullable<DataSource['queryResultCache']>

/** TypeORM names a cached result by its statement and this, with the values in JSON behind it: in SQL, a comment. */
const VALUES = ' -- PARAMETERS: '
/** What is asked of a cache, and what is given to it. */
const GUARDED = new Set<PropertyKey>(['getFromCache', 'storeInCache'])

/** Keeps values of encrypted columns out of the data source's result cache, also of one that `setOptions` makes later. */
export function guardResultCache(dataSource: DataSource, encryption: DataSourceEncryption): void {
  let cache = guarded(dataSource.queryResultCache, encryption)
  Object.defineProperty(dataSource, 'queryResultCache', {
    configurable: true,
    enumerable: true,
    get: () => cache,
    set: (given: ResultCache | undefined) => {
      cache = guarded(given, encryption)
    },
  })
}

/** A cache of an application's own may serve other data sources too: it is left as it is. */
function guarded(cache: ResultCache | undefined, encryption: DataSourceEncryption): ResultCache | undefined {
  return (
    cache &&
    new Proxy(cache, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (GUARDED.has(name)) checkCacheable(args[0] as { query?: string }, encryption)
          return member.apply(target, args)
        }
      },
    })
  )
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` */
function checkCacheable({ query }: { readonly query?: string }, encryption: DataSourceEncryption): void {
  const end = query?.lastIndexOf(VALUES) ?? -1
  const text = end < 0 ? query : query!.slice(0, end)
  if (text === undefined || !encryption.ready()?.statements.isSensitive(text)) return
  const message =
    'the result cache would keep values of encrypted columns in plaintext: leave out "cache" here, or say cache: false where "alwaysEnabled" is set'
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}
