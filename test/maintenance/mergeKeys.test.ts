import { describe, expect, it } from '@jest/globals'
import { newDekId } from '../../src/keys/dekId.js'
import type { CopiedKey, KeyState } from '../../src/keys/keyStore.js'
import type { Purpose } from '../../src/keys/kms.js'
import { type MergeInput, mergeKeys, type PlannedMerge, shredOf } from '../../src/maintenance/keys/mergeKeys.js'

const DAY = 86_400_000
const day = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * DAY)

function key(version: number, state: KeyState, more: Partial<CopiedKey> = {}): CopiedKey {
  const isGone = state === 'destroyed'
  return {
    ...{
      id: newDekId(version),
      tenant: 'acme',
      purpose: 'encrypt' as Purpose,
      version,
      state,
      kms: 'local',
      kekId: 'a',
    },
    ...{ wrapped: isGone ? null : `wrapped ${version}`, messages: 100, createdAt: day(version) },
    ...{ retiredAt: null, destroyedAt: isGone ? day(50) : null },
    ...more,
  }
}

const index = (version: number, state: KeyState, more: Partial<CopiedKey> = {}) =>
  key(version, state, { purpose: 'index', ...more })

function merge(stored: readonly CopiedKey[], copied: readonly CopiedKey[], more: Partial<MergeInput> = {}) {
  return mergeKeys({ stored, copied, shreddedAt: null, undoesShred: false, ...more })
}

/** The table afterwards, by what a key was called before. */
function outcome(
  stored: readonly CopiedKey[],
  { changes, inserts }: PlannedMerge,
  names: Record<string, CopiedKey>,
): string[] {
  const rows = new Map(stored.map((row) => [row.id, row]))
  for (const { id, revived, ...change } of changes) rows.set(id, { ...rows.get(id)!, ...change, ...revived })
  for (const row of inserts) rows.set(row.id, row)
  const nameOf = (id: string) => Object.keys(names).find((name) => names[name]!.id === id)
  const all = [...rows.values()].sort((one, other) => one.version - other.version)
  return all.map(({ id, version, state }) => `${version} ${nameOf(id)} ${state}`)
}

describe('a merge into a table that has lost all keys of a tenant', () => {
  it('puts them back as they were, with what was destroyed', () => {
    const [one, two, three] = [key(1, 'destroyed', { destroyedAt: day(2) }), key(2, 'retired'), key(3, 'active')]
    const planned = merge([], [one, two, three])
    expect(outcome([], planned, { one, two, three })).toEqual(['1 one destroyed', '2 two retired', '3 three active'])
    expect(planned).toMatchObject({ renumbered: 0, newVersion: 0, destroyedInCopy: 0 })
  })

  it('has one that encrypted very much encrypt no more: what it did since is not counted', () => {
    const [much, little] = [key(1, 'active', { messages: 2 ** 31 + 1 }), key(1, 'active', { messages: 2 ** 31 })]
    expect(outcome([], merge([], [much]), { much })).toEqual(['1 much retired'])
    expect(outcome([], merge([], [little]), { little })).toEqual(['1 little active'])
  })

  it('leaves a tenant shredded that was, and one that was reopened in use', () => {
    const [one, two] = [key(1, 'destroyed'), key(2, 'destroyed')]
    const closed = merge([], [one, two], { shreddedAt: day(50) })
    expect(outcome([], closed, { one, two })).toEqual(['1 one destroyed', '2 two destroyed'])
    const three = key(3, 'active', { createdAt: day(51) })
    const reopened = merge([], [one, two, three], { shreddedAt: day(50) })
    expect(outcome([], reopened, { one, two, three })).toEqual(['1 one destroyed', '2 two destroyed', '3 three active'])
  })
})

describe('a merge into a table with keys that were made since the loss', () => {
  it('gives those for values new versions and retires all, so that the next write makes one', () => {
    const stored = [key(1, 'retired'), key(2, 'active')]
    const copied = [key(1, 'retired'), key(2, 'retired'), key(3, 'active')]
    const names = { young1: stored[0]!, young2: stored[1]!, old1: copied[0]!, old2: copied[1]!, old3: copied[2]! }
    const planned = merge(stored, copied)
    expect(outcome(stored, planned, names)).toEqual([
      ...['1 old1 retired', '2 old2 retired', '3 old3 retired', '4 young1 retired', '5 young2 retired'],
    ])
    expect(planned).toMatchObject({ renumbered: 2, newVersion: 0 })
  })

  it('keeps a newer one at its place where no other has its version', () => {
    const stored = [key(2, 'active')]
    const copied = [key(1, 'active')]
    expect(outcome(stored, merge(stored, copied), { young: stored[0]!, old: copied[0]! })).toEqual([
      '1 old retired',
      '2 young active',
    ])
  })

  it('has those for indexes searched by beside a new one', () => {
    const stored = [index(1, 'active')]
    const copied = [index(1, 'active')]
    const planned = merge(stored, copied)
    expect(outcome(stored, planned, { young: stored[0]!, old: copied[0]! })).toEqual([
      '1 old replaced',
      '2 young replaced',
    ])
    expect(planned).toMatchObject({ renumbered: 1, newVersion: 3, isRotating: true })
  })

  it('takes up a rotation of keys for indexes that the copy was made amid', () => {
    const copied = [index(1, 'retiring'), index(2, 'active')]
    expect(outcome([], merge([], copied), { one: copied[0]!, two: copied[1]! })).toEqual([
      '1 one retiring',
      '2 two active',
    ])
    const stored = [index(1, 'active')]
    const planned = merge(stored, copied)
    const names = { young: stored[0]!, one: copied[0]!, two: copied[1]! }
    expect(outcome(stored, planned, names)).toEqual(['1 one replaced', '2 two replaced', '3 young replaced'])
    expect(planned.newVersion).toBe(4)
  })
})

describe('a merge into a table that is as the copy, or further on', () => {
  it('changes nothing, and so can be done again', () => {
    const young = key(1, 'active')
    const copied = [key(1, 'active')]
    const once = merge([young], copied)
    const stored = [
      { ...copied[0]!, state: 'retired' as const },
      { ...young, version: once.changes[0]!.version!, state: 'retired' as const },
    ]
    expect(merge(stored, copied)).toMatchObject({ changes: [], inserts: [], renumbered: 0 })
    const retired = index(1, 'retired')
    expect(merge([retired], [{ ...retired, state: 'active' }])).toMatchObject({
      changes: [],
      inserts: [],
      newVersion: 0,
    })
  })

  it('takes no state back and no count down, and both forward', () => {
    const row = key(1, 'retired', { messages: 500 })
    expect(merge([row], [{ ...row, state: 'active', messages: 100 }]).changes).toEqual([])
    const older = key(1, 'active', { messages: 100 })
    const planned = merge([older], [{ ...older, state: 'retired', messages: 500 }, key(2, 'active')])
    expect(planned.changes).toEqual([{ id: older.id, state: 'retired', messages: 500 }])
    expect(planned.inserts).toMatchObject([{ version: 2, state: 'active' }])
  })

  it.each([
    ['retired', {}],
    ['destroyed', { wrapped: null, destroyedAt: day(9) }],
  ] as const)('has an older table’s key for indexes searched by on, that a rotation has %s since', (state, more) => {
    const old = index(1, 'active')
    const copied = [{ ...old, state, ...more }, index(2, 'active')]
    const planned = merge([old], copied)
    expect(outcome([old], planned, { old, two: copied[1]! })).toEqual(['1 old replaced', '2 two active'])
    expect(planned).toMatchObject({ newVersion: 0, destroyedInCopy: 0, isRotating: true })
  })

  it('destroys no key for indexes that a copy without its successor shows as destroyed by a rotation', () => {
    const old = index(1, 'active')
    const planned = merge([old], [{ ...old, state: 'destroyed', wrapped: null, destroyedAt: day(9) }])
    expect(outcome([old], planned, { old })).toEqual(['1 old replaced'])
    expect(planned).toMatchObject({ newVersion: 2, destroyedInCopy: 0 })
  })

  it('has a key for indexes that somebody has retired, with none after it, not used any more', () => {
    const old = index(1, 'active')
    const planned = merge([old], [{ ...old, state: 'retired' }])
    expect(outcome([old], planned, { old })).toEqual(['1 old retired'])
    expect(planned.newVersion).toBe(2)
  })
})

describe('a merge where a key for values was destroyed by itself, as it was no longer of use', () => {
  const [old, next] = [key(1, 'retired'), key(2, 'active')]
  const gone = { ...old, state: 'destroyed' as const, wrapped: null, destroyedAt: day(9) }

  it('takes the tenant for shredded by a key that was destroyed when no other was alive, and by no other', () => {
    expect(shredOf([gone, next])).toBeNull()
    expect(shredOf([gone])).toEqual(day(9))
    expect(shredOf([gone, key(2, 'active', { createdAt: day(10) })])).toEqual(day(9))
    expect(shredOf([key(1, 'retired'), index(1, 'destroyed')])).toBeNull()
  })

  it('puts all others back', () => {
    const planned = merge([], [gone, next], { shreddedAt: shredOf([gone, next]) })
    expect(outcome([], planned, { gone, next })).toEqual(['1 gone destroyed', '2 next active'])
    expect(planned).toMatchObject({ keptDestroyed: 0, destroyedInCopy: 0 })
  })

  it('leaves it to an older table, whose rows are under it, and names no tenant to shred', () => {
    const older = { ...old, state: 'active' as const }
    const planned = merge([older], [gone, next])
    expect(outcome([older], planned, { old, next })).toEqual(['1 old retired', '2 next active'])
    expect(planned).toMatchObject({ destroyedInCopy: 0, there: [old.id] })
  })

  it('has keys that wrap others in the same way', () => {
    const wrap = (one: CopiedKey) => ({ ...one, purpose: 'wrap' as const })
    const older = wrap({ ...old, state: 'active' as const })
    const planned = merge([older], [wrap(gone), wrap(next)])
    expect(outcome([older], planned, { old, next })).toEqual(['1 old retired', '2 next active'])
    expect(planned.destroyedInCopy).toBe(0)
  })
})

describe('a merge of keys of a tenant that was shredded', () => {
  const live = key(1, 'active')
  const gone = { ...live, state: 'destroyed' as const, wrapped: null, destroyedAt: day(50) }

  it('brings none back: not one that is destroyed in the table, nor one that the table lacks since', () => {
    const two = key(2, 'active')
    const planned = merge([gone], [live, two], { shreddedAt: day(50) })
    expect(outcome([gone], planned, { live, two })).toEqual(['1 live destroyed', '2 two destroyed'])
    expect(planned.inserts).toMatchObject([{ wrapped: null, destroyedAt: expect.any(Date) }])
    expect(planned.keptDestroyed).toBe(2)
    expect(merge([key(1, 'destroyed')], [live], { shreddedAt: day(50) })).toMatchObject({ changes: [], inserts: [] })
  })

  it('brings them back when that is asked for', () => {
    const planned = merge([gone], [live], { shreddedAt: day(50), undoesShred: true })
    expect(outcome([gone], planned, { live })).toEqual(['1 live active'])
    expect(planned.changes).toEqual([
      { id: live.id, state: 'active', revived: { wrapped: 'wrapped 1', kms: 'local', kekId: 'a' } },
    ])
  })

  it('destroys none of the table, but tells of those that the copy shows as destroyed', () => {
    expect(merge([live], [gone], { shreddedAt: day(50) })).toMatchObject({
      changes: [],
      inserts: [],
      destroyedInCopy: 1,
    })
    const young = key(1, 'active', { createdAt: day(60) })
    const [one, two] = [key(1, 'destroyed'), key(2, 'destroyed')]
    const planned = merge([young], [one, two], { shreddedAt: day(50) })
    expect(outcome([young], planned, { young })).toEqual(['1 young active'])
    expect(planned.destroyedInCopy).toBe(2)
  })
})
