/** Runs `work` in some asynchronous context. */
export type Runner = <R>(work: () => R) => R

const STARTS = new Set<PropertyKey>(['then', 'catch', 'finally', 'requestTransaction'])

/**
 * Prisma's promises are lazy: they run when they are awaited, perhaps far from where they were made. This gives such a
 * promise, and those that its fluent API makes, back their context. Anything else is returned as it is.
 */
export function keepContext<T>(value: T, run: Runner): T {
  if (!isPrismaPromise(value)) return value
  return new Proxy(value, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const result: unknown = run(() => Reflect.apply(member, target, args))
        return STARTS.has(property) ? result : keepContext(result, run)
      }
    },
  })
}

function isPrismaPromise(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Reflect.get(value, Symbol.toStringTag) === 'PrismaPromise'
}
