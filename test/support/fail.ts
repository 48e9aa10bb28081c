/** Fails a test where it should never come to; where a value is wanted too. */
export function fail(message: string): never {
  throw new Error(message)
}
