import { type ClientBinding, runBoundTo } from '../../client/clientBinding.js'
import type { AccessOptions } from '../../tenancy/access.js'
import { ANY_TENANT } from '../../tenancy/scope.js'
import { carry, carryHook, type Membrane } from './contextMembrane.js'
import {
  type Extension,
  extensionsOf,
  isPrismaClient,
  type Members,
  makeOwnParent,
  type PrismaClientLike,
  rootOf,
  withinTransaction,
} from './prismaClient.js'

export interface BoundClientsOptions {
  /**
   * The encryption's extension as a bound client has it.
   *
   * @param methods what belongs on such a client beside the encryption's own
   */
  readonly encryption: (binding: ClientBinding, methods: Members) => Extension
  /** The client under the encryption. */
  readonly base: PrismaClientLike
}

/**
 * Makes clients that are bound to a tenant: real clients, on which the extensions of another one are applied again, in
 * order, with the encryption's in its place bound. Code of the other extensions runs in an asynchronous context that tells
 * the unbound client, which it may hold from the time when it was written, for whom it runs.
 */
export class BoundClients {
  readonly #options: BoundClientsOptions
  /** The encryption's extensions, bound or not. */
  readonly #own = new WeakSet<Extension>()
  /** In the place of the encryption's extension, for a client that has none yet: a replica, say, that is handed out. */
  readonly #placeholder = this.own({})
  /** Of extensions that were made to run in a binding's context, what they were before. */
  readonly #sources = new WeakMap<Extension, Extension>()

  constructor(options: BoundClientsOptions) {
    this.#options = options
  }

  /** Takes an extension for the encryption's own. */
  own<E extends Extension>(extension: E): E {
    this.#own.add(extension)
    return extension
  }

  bind(client: PrismaClientLike, binding: ClientBinding): object {
    const extensions = extensionsOf(client)
    if (extensions.some((extension) => this.#own.has(extension))) return this.#rebuilt(client, extensions, binding)
    if (isEncrypted(client)) return rebindOther(client, binding)
    return this.#rebuilt(client, [...extensions, this.#placeholder], binding)
  }

  #rebuilt(client: PrismaClientLike, extensions: readonly Extension[], binding: ClientBinding): object {
    const { client: root, inTransaction } = rootOf(client)
    let bound = root
    for (const extension of extensions) {
      bound = root.$extends.call(bound, this.#bound(extension, binding))
      // Under the encryption is a client that neither encrypts nor is bound.
      if (this.#own.has(extension)) makeOwnParent(bound)
    }
    return inTransaction ? withinTransaction(bound) : bound
  }

  #bound(extension: Extension, binding: ClientBinding): Extension {
    if (!this.#own.has(extension)) return this.#inContext(this.#sources.get(extension) ?? extension, binding)
    return this.own(this.#options.encryption(binding, { $extends: this.#extends(binding) }))
  }

  /** Later extensions of a bound client are bound as the earlier ones are. */
  #extends(binding: ClientBinding) {
    const { bind, inContext } = { bind: this.bind.bind(this), inContext: this.#inContext.bind(this) }
    return function (this: PrismaClientLike, extension: Extension | ((client: object) => unknown)): unknown {
      if (typeof extension !== 'function')
        return this._originalClient.$extends.call(this, inContext(extension, binding))
      const extended = extension(this)
      return isPrismaClient(extended) ? bind(extended, binding) : extended
    }
  }

  #inContext(source: Extension, binding: ClientBinding): Extension {
    const membrane: Membrane = {
      run: (work) => runBoundTo(binding, work),
      bind: (client) => this.#handedOut(client, binding),
    }
    const { client, model, query, result } = source
    const extension: Extension = {
      ...source,
      ...(client && { client: membersIn(membrane, client) }),
      ...(model && { model: mapValues(model, (members) => membersIn(membrane, members)) }),
      ...(query && { query: hooksIn(membrane, query) as object }),
      ...(result && {
        result: mapValues(result, (fields) =>
          mapValues(fields, (field) => ({ ...field, compute: carry(membrane, field.compute) })),
        ),
      }),
    }
    this.#sources.set(extension, source)
    return extension
  }

  /** A client of other models, of another database say, is none of ours. */
  #handedOut(client: PrismaClientLike, binding: ClientBinding): object {
    return client._runtimeDataModel === this.#options.base._runtimeDataModel ? this.bind(client, binding) : client
  }
}

/** Of another `fieldEncryption()`. */
interface OtherEncrypted {
  $forTenant(tenant: string, access: AccessOptions): object
  $acrossTenants(access: AccessOptions): object
}

function isEncrypted(client: object): client is OtherEncrypted {
  return '$encryption' in client
}

function rebindOther(client: OtherEncrypted, { tenant, access: { purpose, allow } }: ClientBinding): object {
  const access = { ...(purpose !== undefined && { purpose }), ...(allow && { allow: [...allow] }) }
  return tenant === ANY_TENANT ? client.$acrossTenants(access) : client.$forTenant(tenant, access)
}

function membersIn(membrane: Membrane, members: Members): Members {
  return mapValues(members, (member) => carry(membrane, member))
}

function hooksIn(membrane: Membrane, hooks: unknown): unknown {
  if (typeof hooks === 'function') return carryHook(membrane, hooks as (params: unknown) => unknown)
  if (typeof hooks !== 'object' || hooks === null) return hooks
  return mapValues(hooks as { readonly [name: string]: unknown }, (hook) => hooksIn(membrane, hook))
}

function mapValues<T, R>(values: { readonly [name: string]: T }, map: (value: T) => R): { [name: string]: R } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}
