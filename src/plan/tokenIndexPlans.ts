import { RangeScale } from '../crypto/tokens/rangeScale.js'
import { rangePrefix, textPrefix } from '../crypto/tokens/tokens.js'
import { type RangeKind, textOfUnits } from '../crypto/tokens/units.js'
import type { ModelSchema, RangeIndexSchema, TextIndexSchema } from '../schema/encryptionSchema.js'
import { type Normalizers, normalizersOf } from './normalizers.js'
import type { ModelPlan, RangeIndexPlan, TextIndexPlan, TokenColumn, TokenIndexPlan } from './plan.js'

/** Fields and their token indexes refer to each other. */
export function fillTokenIndexes(
  { name, encrypted, hiddenIndexes }: ModelPlan,
  { tokenIndexes = {} }: ModelSchema,
  normalizers: Normalizers,
): void {
  const fields = new Map(encrypted.map((field) => [field.field, field]))
  for (const [column, schema] of Object.entries(tokenIndexes)) {
    const field = fields.get(schema.source)!
    const base = {
      field: column,
      name: `${name}.${column}`,
      sources: [field],
      scope: schema.scope,
      unsearchable: field.shows !== 'value',
    }
    const plan = schema.kind === 'text' ? textIndexPlan(base, schema, normalizers) : rangeIndexPlan(base, schema)
    ;(field.tokenIndexes as TokenIndexPlan[]).push(plan)
    if (plan.unsearchable) (hiddenIndexes as string[]).push(column)
  }
}

type Base = TokenColumn & Pick<TokenIndexPlan, 'name' | 'scope'>

function textIndexPlan(base: Base, schema: TextIndexSchema, normalizers: Normalizers): TextIndexPlan {
  const { prefix, suffix, words, wordPrefix, grams, normalize } = schema
  const parts = { prefix, suffix, words, wordPrefix, grams }
  return {
    ...base,
    kind: 'text',
    parts,
    normalize,
    normalizers: normalizersOf(normalize, normalizers),
    prefix: textPrefix(contextOf(base), { ...parts, normalize }),
  }
}

function rangeIndexPlan(base: Base, { min, max, step, unit, sparsity }: RangeIndexSchema): RangeIndexPlan {
  const bounds = { min: BigInt(min), max: BigInt(max), step: BigInt(step) }
  const values = base.sources[0]!.kind as RangeKind
  const scale = scaleOf(unit)
  return {
    ...base,
    kind: 'range',
    tree: { scale: new RangeScale(bounds), sparsity },
    values,
    scale,
    bounds: { min: textOfUnits(values, bounds.min, scale), max: textOfUnits(values, bounds.max, scale) },
    prefix: rangePrefix(contextOf(base), { ...bounds, sparsity, unit }),
  }
}

function contextOf({ sources }: TokenColumn): string {
  return sources[0]!.context
}

/** The decimal places of a unit such as `0.01`. */
function scaleOf(unit: string): number {
  return unit.split('.')[1]?.length ?? 0
}
