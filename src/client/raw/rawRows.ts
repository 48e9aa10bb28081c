import { checkArguments, OBJECTS, TEXT } from '../../callArguments.js'
import type { DecryptSlot, TenantHolder } from '../../cipher/cipher.js'
import { own } from '../../own.js'
import type { FieldPlan, ModelPlan } from '../../plan/plan.js'
import type { ClientContext } from '../clientContext.js'
import { checkReadable, hideIndexes, maskSlots } from '../masking.js'
import { collectStoredField } from '../storedField.js'
import { ownerOf, planOf, transformAll } from './rawCall.js'

/** As `$encryption.decryptRows`. */
export async function decryptRows<Row extends object>(
  context: ClientContext,
  model: string,
  rows: readonly Row[],
): Promise<Row[]> {
  checkArguments('decryptRows', { model, rows }, { model: TEXT, rows: OBJECTS })
  const plan = planOf(context, model)
  const owner = ownerOf(context, model)
  const copies = rows.map((row) => ({ ...row }))
  if (plan.limit !== undefined) checkReadable(fieldsIn(plan, copies))
  const slots = copies.flatMap((row) => rowSlots(plan, row as Record<string, unknown>, owner))
  await transformAll(context, 'decryptRows', slots)
  if (plan.limit !== undefined) maskSlots(slots)
  return copies
}

/** The encrypted fields that the rows have, under either name. */
function fieldsIn(plan: ModelPlan, rows: readonly object[]): FieldPlan[] {
  return plan.encrypted.filter(({ field }) => rows.some((row) => Object.hasOwn(row, nameIn(plan, row, field))))
}

/** The name that a row has a field by. */
function nameIn({ columns }: ModelPlan, row: object, field: string): string {
  return Object.hasOwn(row, field) ? field : (columns[field] ?? field)
}

function rowSlots(plan: ModelPlan, row: Record<string, unknown>, owner: TenantHolder): DecryptSlot[] {
  const columns = [...plan.bound.keys(), ...(plan.tenant === undefined ? [] : [plan.tenant])]
  const known = Object.fromEntries(columns.map((column) => [column, own(row, nameIn(plan, row, column))]))
  const stored = { plan, owner, holder: row, known, asksTenant: false, missing: 'select it too' }
  const slots: DecryptSlot[] = []
  for (const field of plan.encrypted) collectStoredField(slots, stored, field, nameIn(plan, row, field.field))
  hideIndexes(
    plan.hiddenIndexes.map((column) => nameIn(plan, row, column)),
    row,
  )
  return slots
}
