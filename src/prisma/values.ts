/** Prisma's own kinds of values, told by their looks: clients of different outputs have classes of their own. */

const OBJECT_ENUM = Symbol.for('prisma.objectEnumValue')

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** `DbNull`, `JsonNull`, `AnyNull`, or `undefined` for anything else. */
export function nullKind(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !(OBJECT_ENUM in value)) return undefined
  return (value as unknown as { _getName(): string })._getName()
}

/** A reference to another column, as in `where: { a: { equals: prisma.user.fields.b } }`. */
export function isFieldRef(value: unknown): value is { modelName: string; name: string } {
  return isInstance(value) && 'modelName' in value && 'typeName' in value && 'name' in value
}

/** `undefined` and `Prisma.skip`: the key counts as not written. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || (isInstance(value) && 'ifUndefined' in value)
}

/** An object of a class: what only looks like Prisma's own may be a value in a Json field. */
function isInstance(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlainObject(value)
}

/** NULL in the database. */
export function isDbNull(value: unknown): boolean {
  return value === null || nullKind(value) === 'DbNull'
}

/**
 * NULL as the column takes it where the field is Json to the caller, who may write `DbNull`, and its column perhaps not.
 * On any other field `DbNull` is a mistake, which Prisma refuses.
 */
export function storedNull(
  { kind, column }: { readonly kind: string; readonly column: string },
  value: unknown,
): unknown {
  return kind === 'Json' && column !== 'Json' ? null : value
}

/** A member of what may not be an object at all. */
export function partOf(value: unknown, key: string): unknown {
  return isPlainObject(value) ? value[key] : undefined
}

/** Prisma takes one or many in most places. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}
