import { isPlainObject } from '../values.js'
import { unsupported } from './refusals.js'

type Args = Record<string, unknown>

/** Prisma's own mark of parameters that it passes to the engine as they are. */
const RAW = '__prismaRawParameters__'

/**
 * The arguments as Prisma will write them: it takes an object with a function `toJSON` for what that returns, after this
 * extension has seen the object. So it is replaced here, or what it hides would pass by unencrypted. `args` is Prisma's
 * own copy, and is changed.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` for objects that Prisma passes on as they are, whatever they hold; a request
 * body can be one
 */
export function writtenArguments(args: Args): Args {
  if (RAW in args) throw hidden()
  for (const key of Object.keys(args)) {
    const value = args[key]
    // A number, a text or a flag, as most are.
    if (typeof value === 'object' && value !== null) args[key] = written(value)
  }
  return args
}

function written(value: object): unknown {
  if (Array.isArray(value)) return writtenList(value)
  // Prisma copies arguments into plain objects, but for dates, bytes, decimals and values of its own.
  if (!isPlainObject(value)) return value
  if (!writesItself(value)) return writtenArguments(value)
  const instead: unknown = value.toJSON()
  if (writesItself(instead)) throw unsupported('an argument has a function toJSON that returns another such object')
  return typeof instead === 'object' && instead !== null ? written(copyOf(instead) as object) : instead
}

/** What `toJSON` returns is the caller's own. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)]))
}

function writtenList(list: unknown[]): unknown[] {
  list.forEach((part, position) => {
    if (typeof part === 'object' && part !== null) list[position] = written(part)
  })
  return list
}

function writesItself(value: unknown): value is { toJSON(): unknown } {
  return isPlainObject(value) && typeof value.toJSON === 'function'
}

function hidden() {
  return unsupported(
    `an argument has "${RAW}", so Prisma would pass on what it holds unseen; write the value itself, and check what comes from a request`,
  )
}
