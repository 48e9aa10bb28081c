/** Freezes a value and all in it, so that whoever changes it is found out. Bytes cannot be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const element of Object.values(value)) deepFreeze(element)
  return Object.freeze(value)
}
