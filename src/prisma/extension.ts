import type { Prisma } from '@prisma/client/extension'
import { type AccessOptions, accessOf } from '../access.js'
import { FieldsealError } from '../errors.js'
import { DekCache } from '../keys/dekCache.js'
import { emitTo } from '../keys/events.js'
import { KeyNews } from '../keys/keyNews.js'
import { ANY_TENANT, KeyRing, type TenantScope } from '../keys/keyRing.js'
import type { Purpose } from '../keys/kms.js'
import { openKms } from '../keys/kmsOfStore.js'
import { observedKms } from '../keys/observedKms.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { ambientTenant, checkTenant, GLOBAL_TENANT } from '../tenant.js'
import { type Bound, boundTo, unbound } from './binding.js'
import { BoundClients } from './boundClients.js'
import { checkClientMatches, clientName } from './clientModels.js'
import { compilePlans, type GlobalOmit } from './compilePlans.js'
import { checkDirectFields, directFields } from './directFields.js'
import { type EncryptionOperations, encryptionOperations } from './encryptionOperations.js'
import { type KeyOperations, keyOperations } from './keyOperations.js'
import { prismaKeyStore } from './keyStore.js'
import { prismaKeyTraces } from './keyTraces.js'
import { LimitedPlans } from './limitedPlans.js'
import { type OperationCall, type OperationContext, runOperation } from './operation.js'
import { checkOptions, type FieldEncryptionOptions, keySettings } from './options.js'
import type { Plans } from './plan.js'
import { checkInternals, isPrismaClient, type Members, type PrismaClientLike } from './prismaClient.js'
import { watchRefusal } from './watch.js'
import { within } from './within.js'

/** What the extension adds to a client. */
export type EncryptionMethods<Field extends string = string> = {
  /**
   * The same client for one tenant: everything it writes is encrypted under this tenant's DEK, and only this tenant's
   * rows can be decrypted. Cheap enough to make for every request.
   *
   * @param access what it is for, and which encrypted fields it may read; see docs/access.md. Of a client that is limited
   * so, only clients can be made that may read less
   * @throws FieldsealError `TENANT_INVALID`, `OPTIONS_INVALID`
   *
   * @example
   * ```ts
   * const support = prisma.$forTenant('acme', { purpose: 'support', allow: ['User.email'] })
   * ```
   */
  $forTenant<Client>(this: Client, tenant: string, access?: AccessOptions<Field>): Client
  /**
   * The same client for maintenance: decrypts every tenant's rows, and writes for the tenant in the `@tenant` column.
   *
   * @param access as of `$forTenant`
   */
  $acrossTenants<Client>(this: Client, access?: AccessOptions<Field>): Client
  /** Operations on keys, helpers for raw SQL, and figures. */
  $encryption: EncryptionOperations & KeyOperations
}

/** The encrypted fields of a schema, as `Model.field`. */
export type EncryptedFieldName<Schema extends EncryptionSchema> = {
  [Model in keyof Schema['models'] & string]: `${Model}.${keyof Schema['models'][Model]['encrypted'] & string}`
}[keyof Schema['models'] & string]

/** `Prisma.defineExtension`, by its type alone: at run time an extension is a function. */
const defineExtension = ((extension) => extension) as typeof Prisma.defineExtension

/**
 * The Prisma client extension that encrypts the fields marked `@encrypted` in the schema.
 *
 * @throws FieldsealError `OPTIONS_INVALID`; `ALREADY_EXTENDED` when the client is extended with it twice
 *
 * @example
 * ```ts
 * import { fieldEncryption } from 'fieldseal/prisma'
 * import { localKms } from 'fieldseal/local-kms'
 * import { encryptionSchema } from './generated/encryption'
 *
 * const prisma = new PrismaClient({ adapter }).$extends(
 *   fieldEncryption({ schema: encryptionSchema, kms: localKms({ env: 'FIELDSEAL_KEY' }) }),
 * )
 * const acme = prisma.$forTenant('acme')
 * ```
 */
export function fieldEncryption<const Schema extends EncryptionSchema>(options: FieldEncryptionOptions<Schema>) {
  checkOptions(options)
  return defineExtension((client) => {
    const base = client as unknown as BaseClient
    if ('$encryption' in base) throw alreadyExtended()
    checkClientMatches(options.schema, base._runtimeDataModel)
    const { context: shared, figures, keys } = contextFor(base, options)

    /** The extension, of clients that are bound and of those that are not. */
    const extensionFor = (bindings: Bound, more: Members = {}) => {
      const context = { ...shared, bindings }
      const bind = <Client>(client: Client, tenant: TenantScope, options: AccessOptions = {}): Client => {
        if (!isPrismaClient(client)) throw notOnClient(tenant)
        const access = accessOf(options, bindings.current()?.access)
        context.limited.of(access.allow)
        return bound.bind(client, { tenant, access }) as Client
      }
      const methods: EncryptionMethods<EncryptedFieldName<Schema>> = {
        $forTenant(tenant, access) {
          checkTenant(tenant)
          return bind(this, tenant, access)
        },
        $acrossTenants(access) {
          return bind(this, ANY_TENANT, access)
        },
        $encryption: { ...encryptionOperations(context, options.schema, figures), ...keys },
      }
      return {
        name: 'fieldseal',
        client: { ...methods, ...transactionMethod(base, context), ...more } as typeof methods,
        query: queryHooks(context),
      }
    }

    const bound = new BoundClients({
      base,
      encryption: (binding, more) => extensionFor(boundTo(binding), more),
    })
    const extension = bound.own(extensionFor(unbound))
    const extended = client.$extends(extension)
    checkInternals(extended, extension)
    return extended
  })
}

function notOnClient(tenant: TenantScope): FieldsealError {
  const method = tenant === ANY_TENANT ? '$acrossTenants' : '$forTenant'
  return new FieldsealError('OPTIONS_INVALID', `${method} must be called on its client: prisma.${method}(…)`)
}

/** A model that reaches no encrypted field gets no hook: Prisma's own cost of one would be most of what it pays. */
function queryHooks(context: OperationContext): Record<never, never> {
  const run = (call: OperationCall) => watchRefusal(context, call, () => runOperation(context, call))
  const hook = { $allOperations: run }
  const reaching = [...context.plans.values()].filter(({ reaches }) => reaches)
  return Object.fromEntries(reaching.map(({ name }) => [clientName(name), hook]))
}

/** What is used of the client under the extension; the underscored parts are Prisma's own and may be missing. */
interface BaseClient extends PrismaClientLike {
  $transaction(input: unknown, options?: unknown): Promise<unknown>
  readonly _runtimeDataModel?: { readonly models: { readonly [model: string]: object } }
  readonly _globalOmit?: GlobalOmit
  readonly _engineConfig?: { readonly previewFeatures?: readonly string[] }
}

function contextFor(base: BaseClient, options: FieldEncryptionOptions) {
  const { schema, tenant, defaultTenant, keys, normalizers, telemetry, audit } = options
  const emit = emitTo([options.onEvent, telemetry?.onEvent])
  const { ttl, max, staleFor, transactionWait, ...rotation } = keySettings(keys)
  const cache = new DekCache({ ttl, max, staleFor })
  const store = prismaKeyStore(base, schema.keysModel)
  const observation = { emit, around: telemetry?.around, onRotated: (tenant: string) => news.rotated(tenant) }
  const kms = openKms(options.kms, store, observation)
  checkDirectFields(schema, kms)
  const ring = new KeyRing({
    kms,
    store,
    cache,
    traces: prismaKeyTraces(base, schema),
    rotation,
    observation,
  })
  const news = new KeyNews(kms.holder ? [ring, kms.holder] : [ring], keys?.notify)
  const strict = base._engineConfig?.previewFeatures?.includes('strictUndefinedChecks') ?? false
  const compile = (allow?: ReadonlySet<string>) => compilePlans(schema, base._globalOmit, normalizers, allow, strict)
  const plans = compile()
  const context: OperationContext = {
    plans,
    limited: new LimitedPlans(plans, compile),
    ring,
    keyStoreWaits: store.isWaiting,
    bindings: unbound,
    tenancy: { tenant, defaultTenant },
    transactionWait,
    watch: emit || audit ? { emit, audit } : undefined,
  }
  const figures = () => ({ cachedDeks: cache.size, cacheHits: cache.hits, cacheMisses: cache.misses })
  telemetry?.watch?.(figures)
  return {
    context,
    figures,
    keys: keyOperations({
      kms: observedKms(kms, observation),
      ring,
      store,
      news,
      emit,
      memory: ttl + staleFor,
      direct: directFields(schema),
    }),
  }
}

/**
 * An interactive transaction holds a connection while the key ring needs another, so a known tenant's DEKs are fetched
 * before it begins. That is a help, not a condition: what fails here fails again, and clearly, where the key is used.
 */
function transactionMethod(base: BaseClient, context: OperationContext): object {
  const scopes = indexScopes(context.plans)
  return {
    async $transaction(this: { $connect?: unknown }, input: unknown, options?: unknown) {
      const outermost = typeof this.$connect === 'function'
      if (typeof input === 'function' && outermost) await warm(context, scopes)
      return base.$transaction.call(this, input, options)
    },
  }
}

async function warm(context: OperationContext, scopes: IndexScopes): Promise<void> {
  await within(warmKeys(context, scopes), context.transactionWait, () => new Error('late')).catch(() => undefined)
}

async function warmKeys({ ring, bindings, tenancy }: OperationContext, scopes: IndexScopes): Promise<void> {
  const tenant = bindings.current()?.tenant ?? ambientTenant() ?? tenancy.tenant?.() ?? tenancy.defaultTenant
  if (tenant === ANY_TENANT || tenant === undefined) return
  checkTenant(tenant)
  await Promise.all(keysOf(tenant, scopes).map(([owner, purpose]) => ring.prepare(owner, purpose)))
}

type IndexScopes = ReadonlySet<'tenant' | 'global'>

function indexScopes(plans: Plans): IndexScopes {
  const fields = [...plans.values()].flatMap(({ encrypted }) => encrypted)
  return new Set(fields.flatMap(({ indexes }) => indexes.map(({ scope }) => scope)))
}

/** The keys that a write of this tenant may need. */
function keysOf(tenant: string, scopes: IndexScopes): [tenant: string, purpose: Purpose][] {
  const owners = [...scopes].map((scope) => (scope === 'global' ? GLOBAL_TENANT : tenant))
  return [[tenant, 'encrypt'], ...owners.map((owner): [string, Purpose] => [owner, 'index'])]
}

function alreadyExtended(): FieldsealError {
  const message =
    'this client is extended with fieldEncryption already; twice would encrypt twice. Extend it once, where it is made'
  return new FieldsealError('ALREADY_EXTENDED', message)
}
