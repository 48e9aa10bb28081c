import type { RowColumn } from '../cipher/rowColumns.js'
import { readsByColumn } from '../client/rowReading.js'
import type { FieldPlan, ModelPlan, Plans } from '../plan/plan.js'
import { limitedIndex } from './searchParameters.js'
import type { OutputRow, StatementPlan } from './statementPlan.js'

/** What a client may read of the results of a statement. */
export interface LimitedResults {
  readonly outputs: readonly LimitedOutput[]
  /** What of them can be read by columns, and what is left then. */
  readonly byColumn: readonly RowColumn[]
  readonly others: readonly LimitedOutput[]
  readonly fields: readonly FieldPlan[]
  /** The names of the results that are known to be ciphertexts. */
  readonly explained: ReadonlySet<string>
  readonly hiddenIndexes: readonly string[]
  /** The names of the results that are bytes. */
  readonly bytes: readonly string[]
}

/** Columns of results of one table, as far as the client may read them. */
export interface LimitedOutput extends Pick<OutputRow, 'known'> {
  readonly plan: ModelPlan
  readonly fields: readonly { readonly name: string; readonly field: FieldPlan }[]
  readonly hiddenIndexes: readonly string[]
  readonly needsKnown: boolean
}

const limitedBefore = new WeakMap<StatementPlan, WeakMap<Plans, LimitedResults>>()

/** Found once for each statement and each client of other limits. */
export function limitedResults(plan: StatementPlan, plans: Plans): LimitedResults {
  const known = limitedBefore.get(plan)
  const found = known?.get(plans)
  if (found) return found
  const ofPlan = known ?? new WeakMap<Plans, LimitedResults>()
  limitedBefore.set(plan, ofPlan)
  const outputs = plan.outputs.map((output) => limitedOutput(plans, output))
  const columns = outputs.flatMap(({ fields }) => fields)
  const made = {
    outputs,
    byColumn: columns.filter(({ field }) => readsByColumn(field)).map(({ name, field }) => ({ key: name, field })),
    others: outputs.flatMap(withoutColumns),
    fields: columns.map(({ field }) => field),
    explained: new Set(columns.map(({ name }) => name)),
    hiddenIndexes: outputs.flatMap(({ hiddenIndexes }) => hiddenIndexes),
    bytes: columns.flatMap(({ name, field }) => (field.kind === 'Bytes' ? name : [])),
  }
  ofPlan.set(plans, made)
  return made
}

function limitedOutput(plans: Plans, { plan, fields, indexes, known }: OutputRow): LimitedOutput {
  const limited = plans.get(plan.name) ?? plan
  return {
    plan: limited,
    known,
    needsKnown: known.length > 0,
    fields: fields.map(({ name, field }) => ({ name, field: limitedField(limited, field) })),
    hiddenIndexes: indexes.flatMap(({ name, index }) =>
      limitedIndex(plans, plan.name, index).unsearchable ? name : [],
    ),
  }
}

function withoutColumns(output: LimitedOutput): readonly LimitedOutput[] {
  const fields = output.fields.filter(({ field }) => !readsByColumn(field))
  return fields.length === 0 ? [] : [{ ...output, fields }]
}

function limitedField({ members }: ModelPlan, field: FieldPlan): FieldPlan {
  const member = members.get(field.field)
  return member?.kind === 'encrypted' ? member.field : field
}
