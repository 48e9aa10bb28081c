/**
 * The own property of a record. Fields, models and keys of JSON may have names that every object inherits: `constructor`,
 * `toString`, `__proto__`.
 */
export function own<T>(record: { readonly [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Whether an object has a property of this name before it is given any. */
export function isInherited(name: string): boolean {
  return name in Object.prototype
}
