import type { Slot, TenantHolder } from '../cipher.js'
import { boundTexts } from './bound.js'
import type { ReadShape } from './shape.js'

type Row = Record<string, unknown>

/** Collects the encrypted fields of a result, and takes out of its rows what was only added to decrypt them. */
export function collectRows(slots: Slot[], shape: ReadShape, result: unknown, owner: TenantHolder): void {
  if (Array.isArray(result)) {
    for (const row of result) collectRows(slots, shape, row, owner)
  } else if (typeof result === 'object' && result !== null) {
    collectRow(slots, shape, result as Row, owner)
  }
}

function collectRow(slots: Slot[], shape: ReadShape, row: Row, owner: TenantHolder): void {
  const { plan, added, children } = shape
  for (const field of plan.encrypted) {
    const stored = row[field.field]
    if (stored === null || stored === undefined) continue
    const bound = boundTexts(plan, field, row, 'the row came without it')
    slots.push({ mode: 'decrypt', field, owner, holder: row, key: field.field, bound })
  }
  for (const column of added) delete row[column]
  for (const [relation, child] of children) collectRows(slots, child, row[relation], owner)
}

/**
 * The part of a shape that a fluent call returns: `findUnique().posts()` runs as `select: { posts }` and hands over
 * the posts alone.
 *
 * @param path as Prisma keeps it: `['select', 'posts', 'select', 'author']`
 */
export function shapeAt(shape: ReadShape | null, path: readonly string[]): ReadShape | null {
  return path
    .filter((_, position) => position % 2 === 1)
    .reduce((at: ReadShape | null, name) => at?.children.get(name) ?? null, shape)
}
