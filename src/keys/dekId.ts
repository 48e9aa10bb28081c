import { randomBytes } from 'node:crypto'
import { uuidOfHex } from '../crypto/header.js'
import { keyError } from './keyError.js'
import type { StoredKey } from './keyStore.js'

/** The most that the `version` column holds. */
const MAX_VERSION = 2 ** 31 - 1
/** The states of a key that another has taken the place of. */
const FOLLOWED: ReadonlySet<string> = new Set(['retired', 'replaced'])
const WITH_VERSION = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}([0-9a-f]{8})$/

/**
 * The id of a new DEK: a UUID of version 8 (RFC 9562 §5.8) that ends with the DEK's version and is random else. The KMS
 * binds the id, and so the version. It stands at the end so that walks in the order of the ids meet versions mixed.
 */
export function newDekId(version: number): string {
  const bytes = randomBytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  bytes.writeUInt32BE(version, 12)
  return uuidOfHex(bytes.toString('hex'))
}

/** The version in a DEK's id; `undefined` for a UUID of another version than 8, which holds none. */
export function versionInId(id: string): number | undefined {
  const hex = WITH_VERSION.exec(id)?.[1]
  return hex === undefined ? undefined : Number.parseInt(hex, 16)
}

/**
 * A key that encrypts has the version of its id. One that only decrypts, or is only searched by, may have a higher one:
 * tables with keys of one tenant have been merged.
 *
 * @throws FieldsealError `KEY_INVALID`
 */
export function checkVersion({ id, state, version }: StoredKey): void {
  const own = versionInId(id)
  if (own === undefined || own === version || (FOLLOWED.has(state) && version > own)) return
  const what = `is version ${own} by its id, and ${state} as version ${version} in its row: the row was changed. Compare it with a backup`
  throw keyError('KEY_INVALID', id, what)
}

/** @throws FieldsealError `KEY_INVALID` when there can be none: nobody has come so far by rotating, nor begun below 1 */
export function versionAfter(newest: StoredKey | null): number {
  if (!newest) return 1
  if (newest.version >= 1 && newest.version < MAX_VERSION) return newest.version + 1
  throw keyError(
    'KEY_INVALID',
    newest.id,
    `has the version ${newest.version}, after which there can be none: its row was changed`,
  )
}
