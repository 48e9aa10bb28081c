import { checkArguments, OBJECT, TEXT } from '../../callArguments.js'
import { type CipherIndex, checkedValue } from '../../cipher/cipher.js'
import { FieldsealError } from '../../errors.js'
import { splitFieldName } from '../../fieldName.js'
import type { FieldPlan, IndexPlan, ModelPlan } from '../../plan/plan.js'
import { boundTexts, type KnownValues } from '../boundColumns.js'
import type { ClientContext } from '../clientContext.js'
import { checkSearchable, checkUnmasked } from '../masking.js'
import { ownerOf, planOf, transformAll } from './rawCall.js'

/** What raw SQL writes into an encrypted column. */
export type RawValue = string | Uint8Array | string[] | Uint8Array[]

/** As `$encryption.encrypt`. */
export async function encryptValue(
  context: ClientContext,
  name: string,
  value: unknown,
  known: KnownValues,
): Promise<RawValue> {
  checkArguments('encrypt', { field: name, bound: known }, { field: TEXT, bound: OBJECT })
  const { plan, field } = fieldOf(context, name)
  checkUnmasked(field, value)
  const bound = boundTexts(plan, field, known, 'give it as the third argument')
  const holder: Record<string, unknown> = { value: checkedValue(field, () => context.plainValue(field, value)) }
  const owner = ownerOf(context, field.name)
  await transformAll(context, 'encrypt', [{ mode: 'encrypt', field, owner, holder, key: 'value', bound }])
  return holder.value as RawValue
}

/** As `$encryption.blindIndex`. */
export async function indexValue(context: ClientContext, name: string, value: unknown): Promise<string | Uint8Array> {
  checkArguments('blindIndex', { field: name }, { field: TEXT })
  const index = indexOf(context, name)
  checkSearchable(index)
  const field = index.sources[0]!
  const values = index.sources.length === 1 ? [value] : eachValue(index, value)
  const holder: Record<string, unknown> = {}
  const owner = ownerOf(context, field.name)
  await transformAll(context, 'blindIndex', [
    { mode: 'index', field, owner, holder, key: 'value', index, values, use: 'indexed' },
  ])
  return holder.value as string | Uint8Array
}

function eachValue({ name, sources }: CipherIndex, value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length === sources.length) return value
  const message = `${name} indexes ${sources.length} fields: give an array with a value for each, in their order`
  throw new FieldsealError('VALUE_INVALID', message)
}

function fieldOf(context: ClientContext, name: string): { plan: ModelPlan; field: FieldPlan } {
  const [model, field] = splitFieldName(name)
  const plan = planOf(context, model)
  const found = plan.encrypted.find((candidate) => candidate.field === field)
  if (!found) throw new FieldsealError('OPTIONS_INVALID', `${name} is not an encrypted field; write "Model.field"`)
  return { plan, field: found }
}

function indexOf(context: ClientContext, name: string): IndexPlan {
  const [model, column] = splitFieldName(name)
  const plan = planOf(context, model)
  const member = plan.members.get(column)
  if (member?.kind !== 'index')
    throw new FieldsealError('OPTIONS_INVALID', `${name} is not a blind index; write "Model.indexField"`)
  return member.index
}
