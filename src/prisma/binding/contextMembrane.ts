import { types } from 'node:util'
import type { Runner } from '../../tenancy/lazyPromise.js'
import { isPrismaClient, type PrismaClientLike } from './prismaClient.js'

/** What comes out of an extension's methods, in the asynchronous context of the client that it was called on. */
export interface Membrane {
  readonly run: Runner
  /** A client that comes out. */
  readonly bind: (client: PrismaClientLike) => object
}

/**
 * Has whatever code an extension hands out run in the context of the client that it came from: functions, lazy objects,
 * generators, lazy promises, instances of classes, and what these return, also when they are used far from where they
 * were made. Clients come out bound. Data come out as they are.
 */
export function carry(membrane: Membrane, value: unknown): unknown {
  if (typeof value === 'function') return carryFunction(membrane, value)
  if (typeof value !== 'object' || value === null) return value
  if (isPrismaClient(value)) return membrane.bind(value)
  if (types.isPromise(value)) return value.then((result) => carry(membrane, result))
  if (Array.isArray(value)) return value.some(isCode) ? value.map((item) => carry(membrane, item)) : value
  return isCode(value) || holdsCode(value) ? carryObject(membrane, value) : value
}

type Callable = (...args: unknown[]) => unknown

/** A carried object, and what is behind it. */
interface Carried {
  readonly outer: object
  readonly inner: object
}

/** The same for hooks of queries. What they answer with are rows; only a lazy promise of them is still to run. */
export function carryHook(membrane: Membrane, hook: (params: unknown) => unknown): (params: unknown) => unknown {
  return (params) => {
    const answer = membrane.run(() => hook(params))
    return types.isPromise(answer) ? answer : carry(membrane, answer)
  }
}

function carryFunction(membrane: Membrane, fn: object, owner?: Carried): unknown {
  return new Proxy(fn as Callable, {
    apply: (target, self, args) => {
      const receiver: unknown = owner && self === owner.outer ? owner.inner : self
      const result: unknown = membrane.run(() => Reflect.apply(target, receiver, args))
      return carry(membrane, result)
    },
    construct: (target, args) =>
      carry(
        membrane,
        membrane.run(() => Reflect.construct(target, args)),
      ) as object,
  })
}

/**
 * Stands before the object, not over it: what is frozen could not be answered for otherwise. Its methods run on the object
 * itself, whose private fields a proxy has not.
 */
function carryObject(membrane: Membrane, inner: object): object {
  const outer: object = new Proxy(Object.create(Object.getPrototypeOf(inner)), {
    get: (_, key) => {
      const value: unknown = membrane.run(() => Reflect.get(inner, key))
      if (key === 'constructor') return value
      return typeof value === 'function' ? carryFunction(membrane, value, { outer, inner }) : carry(membrane, value)
    },
    set: (_, key, value) => Reflect.set(inner, key, value),
    has: (_, key) => Reflect.has(inner, key),
    deleteProperty: (_, key) => Reflect.deleteProperty(inner, key),
    ownKeys: () => Reflect.ownKeys(inner),
    getOwnPropertyDescriptor: (_, key) => {
      const found = Reflect.getOwnPropertyDescriptor(inner, key)
      return found && { value: Reflect.get(outer, key), enumerable: found.enumerable ?? false, configurable: true }
    },
  })
  return outer
}

/** Whether a value does something rather than being something: alone, or as an item of a list. */
function isCode(value: unknown): boolean {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  return isPrismaClient(value) || 'then' in value || ('next' in value && typeof value.next === 'function')
}

/** An object in an object in an object: deeper there are only data. */
const DEEPEST = 3

/** Whether an object has methods of its own, here or deeper, or those of a class of the application or of a package. */
function holdsCode(value: object, depth = 0): boolean {
  if (Object.prototype.toString.call(value) !== '[object Object]') return Symbol.asyncIterator in value
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype !== null && !isObjectPrototype(prototype)) return true
  if (depth === DEEPEST) return false
  return Reflect.ownKeys(value).some((key) => {
    const { value: own, get } = Object.getOwnPropertyDescriptor(value, key) ?? {}
    return get !== undefined || isCode(own) || (typeof own === 'object' && own !== null && holdsCode(own, depth + 1))
  })
}

/** Of any realm: those of Node.js and of a test are two under Jest, and literals of either are data. */
function isObjectPrototype(value: object): boolean {
  return Object.getPrototypeOf(value) === null && Object.hasOwn(value, 'isPrototypeOf')
}
