import { FieldsealError } from '../errors.js'

/** What data are used for, and what may be read of them for that. */
export interface AccessOptions<Field extends string = string> {
  /** Told to the audit hook and in events: `'support'`, `'monthly report'`. */
  readonly purpose?: string
  /**
   * The encrypted fields that may be read and searched, as `Model.field`: all unless given, none with `[]`. Of others
   * the mask is shown that the schema declares, `@encrypted(mask: email)`; without one, reading them is refused. All
   * may be written.
   */
  readonly allow?: readonly Field[]
}

/** Checked options, of all that is around put together. */
export interface Access {
  readonly purpose: string | undefined
  /** `undefined`: all. */
  readonly allow: ReadonlySet<string> | undefined
}

/** Of who has said nothing. */
export const UNLIMITED: Access = { purpose: undefined, allow: undefined }

const KNOWN = ['purpose', 'allow']

/**
 * What the options give inside of what is given already. What may be read can only become less.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function accessOf(options: AccessOptions, around: Access = UNLIMITED): Access {
  checkOptions(options)
  const { purpose, allow } = options
  return narrowed(around, { purpose, allow: allow && new Set(allow) })
}

/** The purpose is the inner one's, if it has one; what may be read is what both allow. */
export function narrowed(outer: Access, inner: Access): Access {
  if (outer === UNLIMITED) return inner
  if (inner === UNLIMITED) return outer
  return { purpose: inner.purpose ?? outer.purpose, allow: both(outer.allow, inner.allow) }
}

function both(outer: Access['allow'], inner: Access['allow']): Access['allow'] {
  if (!outer || !inner) return outer ?? inner
  return new Set([...inner].filter((field) => outer.has(field)))
}

/** Whatever is mistaken here would give more than was meant, so that nothing is guessed. */
function checkOptions(options: AccessOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalidAccess('the second argument must be { purpose, allow }')
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined)
    throw invalidAccess(`there is no option "${unknown}" beside a tenant; there are purpose and allow`)
  if ('allow' in options && !isList(options.allow))
    throw invalidAccess('"allow" must be a list of fields, as in ["User.email"]; leave it out to allow all')
  if ('purpose' in options && !isText(options.purpose))
    throw invalidAccess('"purpose" must be a text that is not empty')
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.isWellFormed()
}

function invalidAccess(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', message)
}
