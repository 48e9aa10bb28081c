import type { Prisma } from '@prisma/client/extension'
import { auditRefusal } from '../client/audit.js'
import { ambientBinding, type BindingSource, fixedBinding } from '../client/clientBinding.js'
import type { ClientContext } from '../client/clientContext.js'
import { type EncryptingClient, encryptingClient } from '../client/encryptingClient.js'
import { type EncryptionOperations, encryptionOperations } from '../client/encryptionOperations.js'
import type { KeyOperations } from '../client/keyOperations.js'
import { checkOptions, type FieldEncryptionOptions } from '../client/options.js'
import { fetchKeys, indexScopes } from '../client/transactionKeys.js'
import { debugStep, isDebugging, routed } from '../debug.js'
import { FieldsealError } from '../errors.js'
import { compilePlans } from '../plan/compilePlans.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { type AccessOptions, accessOf } from '../tenancy/access.js'
import { ANY_TENANT, type TenantScope } from '../tenancy/scope.js'
import { checkTenant } from '../tenancy/tenant.js'
import { BoundClients } from './binding/boundClients.js'
import { checkInternals, isPrismaClient, type Members, type PrismaClientLike } from './binding/prismaClient.js'
import { checkClientMatches, clientName, type GlobalOmit, omittedOf } from './clientModels.js'
import { prismaKeyStore } from './keyStore.js'
import { prismaKeyTraces } from './keyTraces.js'
import { type OperationCall, runOperation } from './operation.js'
import { type WordSearch, wordsFilter } from './query/wordsFilter.js'
import { toDecimal } from './read/decimal.js'
import { PRISMA_WORDING } from './wording.js'
import { jsonValue } from './write/jsonValue.js'

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
  $encryption: EncryptionOperations & KeyOperations & WordSearch
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
  checkOptions(options, PRISMA_WORDING)
  return defineExtension((client) => {
    const base = client as unknown as BaseClient
    if ('$encryption' in base) throw alreadyExtended()
    checkClientMatches(options.schema, base._runtimeDataModel)
    const { context: shared, figures, keys } = contextFor(base, options)
    options.telemetry?.watch?.(figures)

    /** The extension, of clients that are bound and of those that are not. */
    const extensionFor = (clientBinding: BindingSource, more: Members = {}) => {
      const context = { ...shared, clientBinding }
      const bind = <Client>(client: Client, tenant: TenantScope, options: AccessOptions = {}): Client => {
        if (!isPrismaClient(client)) throw notOnClient(tenant)
        const access = accessOf(options, clientBinding.current()?.access)
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
        $encryption: {
          ...encryptionOperations(context, options.schema, figures),
          ...keys,
          words: (field, words) => wordsFilter(context, field, words),
        },
      }
      return {
        name: 'fieldseal',
        client: { ...methods, ...transactionMethod(base, context), ...more } as typeof methods,
        query: queryHooks(context),
      }
    }

    const bound = new BoundClients({
      base,
      encryption: (binding, more) => extensionFor(fixedBinding(binding), more),
    })
    const extension = bound.own(extensionFor(ambientBinding))
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
function queryHooks(context: ClientContext): Record<never, never> {
  const run = (call: OperationCall) => auditRefusal(context, call, () => runOperation(context, call))
  const hook = { $allOperations: isDebugging ? routedRun(run) : run }
  const reaching = [...context.plans.values()].filter(({ reaches }) => reaches)
  return Object.fromEntries(reaching.map(({ name }) => [clientName(name), hook]))
}

/** Has the route of each call printed, with the time at which the database has answered. */
function routedRun(run: (call: OperationCall) => Promise<unknown>) {
  return (call: OperationCall) => {
    const query = async (args: unknown) => {
      const result = await call.query(args)
      debugStep('database', Array.isArray(result) ? `answered with ${result.length} rows` : 'answered')
      return result
    }
    return routed(`${call.model}.${call.operation}`, () => run({ ...call, query }))
  }
}

/** What is used of the client under the extension; the underscored parts are Prisma's own and may be missing. */
interface BaseClient extends PrismaClientLike {
  $transaction(input: unknown, options?: unknown): Promise<unknown>
  readonly _runtimeDataModel?: { readonly models: { readonly [model: string]: object } }
  readonly _globalOmit?: GlobalOmit
  readonly _engineConfig?: { readonly previewFeatures?: readonly string[] }
}

function contextFor(base: BaseClient, options: FieldEncryptionOptions): EncryptingClient {
  const { schema, normalizers, migratingFrom } = options
  const strict = base._engineConfig?.previewFeatures?.includes('strictUndefinedChecks') ?? false
  const omitted = omittedOf(base._globalOmit)
  const { unreadable } = PRISMA_WORDING
  return encryptingClient(options, {
    store: prismaKeyStore(base, schema.keysModel),
    traces: prismaKeyTraces(base, schema),
    compile: (allow) =>
      compilePlans(schema, { normalizers, migratingFrom, allow, omitted, strict, toDecimal, unreadable }),
    plainValue: jsonValue,
    wording: PRISMA_WORDING,
  })
}

/** Fetches what an interactive transaction may need before it begins. */
function transactionMethod(base: BaseClient, context: ClientContext): object {
  const scopes = indexScopes(context.plans)
  return {
    async $transaction(this: { $connect?: unknown }, input: unknown, options?: unknown) {
      const outermost = typeof this.$connect === 'function'
      if (typeof input === 'function' && outermost) await fetchKeys(context, scopes)
      return base.$transaction.call(this, input, options)
    },
  }
}

function alreadyExtended(): FieldsealError {
  const message =
    'this client is extended with fieldEncryption already; twice would encrypt twice. Extend it once, where it is made'
  return new FieldsealError('ALREADY_EXTENDED', message)
}
