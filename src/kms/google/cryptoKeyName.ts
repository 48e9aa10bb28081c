const KEY = /^projects\/[^/\s]{1,128}\/locations\/[\w-]{1,63}\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63}$/
const VERSION = /^(.+)\/cryptoKeyVersions\/[1-9]\d{0,9}$/
/** More than the parts of a name may have together. */
const MOST = 512

/** Whether a value can be the resource name of a key: without a version, which is for the service to choose. */
export function isCryptoKeyName(value: unknown): value is string {
  return isShort(value) && KEY.test(value)
}

/** The key of a version, of which both are resource names; `undefined` for anything else. */
export function cryptoKeyOfVersion(name: unknown): string | undefined {
  const key = isShort(name) ? VERSION.exec(name)?.[1] : undefined
  return isCryptoKeyName(key) ? key : undefined
}

/** A text of megabytes, which whoever writes to the database can plant, may be more than a pattern is matched against. */
function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MOST
}
