import { AsyncLocalStorage } from 'node:async_hooks'
import { type Access, narrowed, UNLIMITED } from '../access.js'
import { ambientAccess, keepContext } from '../tenant.js'
import type { Binding } from './tenancy.js'

/**
 * Binds clients to a tenant, and to what may be read of it. A bound client is a proxy over whatever client it was asked
 * of, with all extensions that were chained later: every call on it, and the start of every lazy promise it returns, runs
 * in an asynchronous context that tells the encryption of it.
 */
export class Bindings {
  readonly #storage = new AsyncLocalStorage<Binding>()
  readonly #delegates: ReadonlySet<string>

  /** @param models the names of the model delegates on the client */
  constructor(models: Iterable<string>) {
    this.#delegates = new Set([...models, '$encryption'])
  }

  /** The binding of the running operation, if it came through a bound client. */
  current(): Binding | undefined {
    return this.#storage.getStore()
  }

  /** What the running operation may read, and for what: as its client and every `withTenant` around it allow. */
  access(): Access {
    return narrowed(ambientAccess() ?? UNLIMITED, this.current()?.access ?? UNLIMITED)
  }

  bind<Client extends object>(client: Client, binding: Binding): Client {
    const delegates = new Map<PropertyKey, object>()
    return new Proxy(client, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value === 'function') return this.#boundMethod(target, property, value as Callable, binding)
        if (!this.#delegates.has(property as string) || typeof value !== 'object' || value === null) return value
        if (!delegates.has(property)) delegates.set(property, this.#boundDelegate(value, binding))
        return delegates.get(property)
      },
    })
  }

  #boundDelegate(delegate: object, binding: Binding): object {
    const bound = new Map<PropertyKey, { readonly of: Callable; readonly call: Callable }>()
    return new Proxy(delegate, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        const known = bound.get(property)
        if (known?.of === value) return known.call
        const call = this.#boundFunction(target, value as Callable, binding)
        bound.set(property, { of: value as Callable, call })
        return call
      },
    })
  }

  #boundMethod(target: object, property: PropertyKey, method: Callable, binding: Binding): Callable {
    if (property === 'constructor') return method
    const run = this.#boundFunction(target, method, binding)
    if (property === '$extends') return (...args) => this.bind(run(...args) as object, binding)
    if (property === '$transaction') return (input, ...rest) => run(this.#boundCallback(input, binding), ...rest)
    return run
  }

  /** Entering by hand does what `run` does, and leaves no frame of it between Prisma and its caller. */
  #boundFunction(target: object, fn: Callable, binding: Binding): Callable {
    const storage = this.#storage
    const run = <R>(work: () => R): R => storage.run(binding, work)
    const call = (...args: unknown[]) => {
      const around = storage.getStore()
      storage.enterWith(binding)
      try {
        return keepContext(Reflect.apply(fn, target, args), run)
      } finally {
        storage.enterWith(around!)
      }
    }
    return Object.defineProperty(call, 'name', { value: PASSED_OVER })
  }

  /** The client that an interactive transaction hands over is bound too, wherever the callback takes it. */
  #boundCallback(input: unknown, binding: Binding): unknown {
    if (typeof input !== 'function') return input
    return (transaction: object) => input(this.bind(transaction, binding))
  }
}

type Callable = (...args: unknown[]) => unknown

/** Prisma's errors say where it was called, and pass over functions of such names. */
const PASSED_OVER = 'Proxy.call'
