import { versionInId } from '../../keys/dekId.js'
import {
  type CopiedKey,
  KEY_STATES,
  type KeyMerge,
  type KeyState,
  type MergedKey,
  type NewKey,
  REPLACED_STATES,
  type StoredKey,
} from '../../keys/keyStore.js'
import { MOST_MESSAGES } from '../../keys/quota/rotation.js'

/** The keys of one tenant and purpose: those of the table, and those of the copy. */
export interface MergeInput {
  readonly stored: readonly StoredKey[]
  readonly copied: readonly CopiedKey[]
  /** When the tenant was shredded, as far as table and copy know. */
  readonly shreddedAt: Date | null
  /** Whether what was shredded comes back, where the copy has it. */
  readonly undoesShred: boolean
}

export interface PlannedMerge extends KeyMerge {
  /** Keys of the table that got another version, as the copy has another key of theirs. */
  readonly renumbered: number
  /** Keys of the copy that stay destroyed, or become so, since the tenant was shredded. */
  readonly keptDestroyed: number
  /** Keys that a shred has destroyed in the copy, and that are not destroyed in the table. */
  readonly destroyedInCopy: number
  /** Ids of keys that the table had already, as live or as destroyed as they are to be. */
  readonly there: readonly string[]
  /** The version of the new key for indexes that has to stand beside those of table and copy; 0 for none. */
  readonly newVersion: number
  /** Whether searches ask for what an older key for indexes has made, too, until a rotation has come to its end. */
  readonly isRotating: boolean
}

/** A row as it will be. */
interface Row {
  readonly key: CopiedKey
  readonly before: StoredKey | undefined
  version: number
  state: KeyState
  messages: number
  revives?: true
}

/**
 * What brings the keys of a copy into the table. Nothing in the table is destroyed, no state goes back, and every key that
 * encrypted rows there keeps its id, by which ciphertexts name it: of two keys with one version, that of the table gets a
 * new one.
 */
export function mergeKeys(input: MergeInput): PlannedMerge {
  const isIndex = (input.copied[0] ?? input.stored[0])?.purpose === 'index'
  const { rows, ...counts } = unite(input, isIndex)
  const newest = Math.max(...rows.map(({ version }) => version))
  const live = rows.filter(({ state }) => state !== 'destroyed')
  const isChanged = rows.some(
    ({ before, version, state, revives }) => before?.version !== version || stateOf(before).state !== state || revives,
  )
  const newVersion =
    isIndex && isChanged && needsIndexKey(live, { newest, renumbered: counts.renumbered }) ? newest + 1 : 0
  if (isChanged) for (const row of live) row.state = settled(row, { isIndex, newest, isFollowed: newVersion > 0 })
  return {
    changes: rows.flatMap(changeOf),
    inserts: rows.filter(({ before }) => !before).map(insertOf),
    ...counts,
    newVersion,
    isRotating: isChanged && live.some(({ state }) => (REPLACED_STATES as readonly KeyState[]).includes(state)),
  }
}

function unite({ stored, copied, shreddedAt, undoesShred }: MergeInput, isIndex: boolean) {
  const rows = stored.map((row): Row => ({ key: { ...row, retiredAt: null }, before: row, ...stateOf(row) }))
  const byId = new Map(rows.map((row) => [row.key.id, row]))
  const counts = { keptDestroyed: 0, destroyedInCopy: 0, renumbered: 0 }
  const isShredInCopy = isIndex ? shreddedAt !== null : shredOf(copied) !== null
  // Without a shred it was a rotation that destroyed a key for indexes, when nothing was searched by it any more.
  const isByRotation = isIndex && !isShredInCopy
  const missing: Row[] = []
  const there: string[] = []
  for (const key of copied) {
    const row = byId.get(key.id)
    const { state } = stateOf(key)
    if (!row) missing.push({ key, before: undefined, ...stateOf(key) })
    else if (row.state === 'destroyed') {
      const isKept = state !== 'destroyed' && !revive(row, key, undoesShred) && !isByRotation
      if (isKept) counts.keptDestroyed += 1
      else there.push(key.id)
    } else {
      if (state === 'destroyed' && isShredInCopy) counts.destroyedInCopy += 1
      else {
        row.state = later(row.state, stateFrom(key, copied, isByRotation))
        there.push(key.id)
      }
      row.messages = Math.max(row.messages, key.messages)
    }
  }
  const isShredded = (key: CopiedKey) => !undoesShred && shreddedAt !== null && key.createdAt <= shreddedAt
  const live = missing.filter(({ key, state }) => state !== 'destroyed' && !isShredded(key))
  for (const row of live) counts.renumbered += place(rows, row, copied)
  const highest = Math.max(0, ...rows.filter(({ state }) => state !== 'destroyed').map(({ version }) => version))
  for (const row of missing.filter((one) => !live.includes(one))) {
    if (row.state !== 'destroyed') counts.keptDestroyed += 1
    // One that is newer than all others would close the tenant, who may be in use.
    const isFree = !rows.some(({ version }) => version === row.version) && (highest === 0 || row.version < highest)
    if (isFree) rows.push({ ...row, state: 'destroyed' })
    else if (row.state === 'destroyed' && highest > 0 && isShredInCopy) counts.destroyedInCopy += 1
  }
  return { rows, there, ...counts }
}

/**
 * When a tenant was shredded, as the rows of one table tell; `null` if none does. A shred leaves no key for values alive
 * that it found: one beside a live key that is as old was destroyed by itself, as it was no longer of use.
 */
export function shredOf(keys: readonly StoredKey[]): Date | null {
  const ofValues = keys.filter(({ purpose }) => purpose === 'encrypt')
  const destroyed = ofValues.filter((key) => stateOf(key).state === 'destroyed')
  const live = ofValues.filter((key) => !destroyed.includes(key)).map(({ createdAt }) => createdAt.getTime())
  const shreds = destroyed
    .map(({ destroyedAt }) => (destroyedAt ?? new Date()).getTime())
    .filter((at) => live.every((createdAt) => createdAt > at))
  return shreds.length > 0 ? new Date(Math.max(...shreds)) : null
}

/** What a key of the copy, live or destroyed without a shred, says of the same key in a table where it is live. */
function stateFrom(key: CopiedKey, copied: readonly CopiedKey[], isByRotation: boolean): KeyState {
  const { state } = stateOf(key)
  // Rows of a table that is older than the copy may be encrypted, or have indexes, by such a key alone.
  if (!isByRotation) return state === 'destroyed' ? 'retired' : state
  const isSucceeded = state === 'destroyed' || copied.some(({ version }) => version > key.version)
  return isSucceeded ? earlier(state, 'replaced') : state
}

function stateOf({ version, state, destroyedAt, messages }: StoredKey): Pick<Row, 'version' | 'state' | 'messages'> {
  return { version, state: destroyedAt === null ? state : 'destroyed', messages }
}

function later(one: KeyState, other: KeyState): KeyState {
  return KEY_STATES.indexOf(one) >= KEY_STATES.indexOf(other) ? one : other
}

function earlier(one: KeyState, other: KeyState): KeyState {
  return later(one, other) === one ? other : one
}

function revive(row: Row, { state, wrapped, kms, kekId }: CopiedKey, undoesShred: boolean): boolean {
  if (!undoesShred || wrapped === null) return false
  Object.assign(row, { state, revives: true, key: { ...row.key, wrapped, kms, kekId } })
  return true
}

/** Adds a row of the copy; gives 1 if one of the table had to make room. */
function place(rows: Row[], row: Row, copied: readonly CopiedKey[]): number {
  const other = rows.find(({ version }) => version === row.version)
  rows.push(row)
  if (!other) return 0
  other.version = Math.max(...rows.map(({ version }) => version), ...copied.map(({ version }) => version)) + 1
  return 1
}

/** Searches must find what either key has made, which a newest one that is not active does not say. */
function needsIndexKey(live: readonly Row[], { newest, renumbered }: { newest: number; renumbered: number }): boolean {
  if (live.length === 0) return false
  const last = live.find(({ version }) => version === newest)
  return renumbered > 0 || (last !== undefined && last.state !== 'active')
}

/** Only the newest encrypts, if it may; an older key for indexes is searched by until its rows have new ones. */
function settled(
  { key, before, state, version }: Row,
  { isIndex, newest, isFollowed }: { isIndex: boolean; newest: number; isFollowed: boolean },
): KeyState {
  const own = versionInId(key.id)
  const isNewest = version === newest && (own === undefined || own === version)
  if (isIndex) {
    if (isNewest && !isFollowed) return state
    return state === 'active' || (isFollowed && state === 'retiring') ? 'replaced' : state
  }
  // What has been encrypted under a lost key since the copy was made is not counted.
  const mayGoOn = isNewest && (before !== undefined || key.messages <= MOST_MESSAGES / 2)
  return state === 'active' && !mayGoOn ? 'retired' : state
}

function changeOf({ key, before, version, state, messages, revives }: Row): MergedKey[] {
  if (before === undefined) return []
  const change = {
    ...(version !== before.version && { version }),
    ...(state !== stateOf(before).state && state !== 'destroyed' && { state }),
    ...(messages > before.messages && { messages }),
    ...(revives && { revived: { wrapped: key.wrapped, kms: key.kms, kekId: key.kekId } }),
  }
  return Object.keys(change).length > 0 ? [{ id: before.id, ...change }] : []
}

function insertOf({ key, version, state }: Row): CopiedKey {
  const { retiredAt, destroyedAt } = key
  const at = new Date()
  if (state === 'destroyed') return { ...key, version, state, wrapped: null, destroyedAt: destroyedAt ?? at }
  return { ...key, version, state, retiredAt: state === 'retired' ? (retiredAt ?? at) : retiredAt }
}

/** A new key for indexes beside those of a merge. */
export function withIndexKey({ changes, inserts }: KeyMerge, key: NewKey): KeyMerge {
  const made: CopiedKey = { ...key, createdAt: new Date(), retiredAt: null, destroyedAt: null }
  return { changes, inserts: [...inserts, made] }
}
