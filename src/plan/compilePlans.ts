import { own } from '../own.js'
import type { EncryptedFieldSchema, EncryptionSchema, ModelSchema, RelationSchema } from '../schema/encryptionSchema.js'
import { fillIndexes, fillUniques } from './indexPlans.js'
import { inheritedColumns, inverseRelation, linksBoundColumns } from './inverseRelation.js'
import type { MigratingFrom } from './migratingFrom.js'
import type { Normalizers } from './normalizers.js'
import type { FieldPlan, Member, ModelPlan, Plans, RelationPlan } from './plan.js'
import { reachingModels } from './reachingModels.js'
import { fillTokenIndexes } from './tokenIndexPlans.js'

/** What the ORM's client says about itself, so that a plan need not know the ORM. */
export interface PlanOptions {
  readonly normalizers?: Normalizers | undefined
  /** How other libraries have stored values of fields that are `migrating`. */
  readonly migratingFrom?: MigratingFrom | undefined
  /** The fields that the client may read, as `Model.field`; all unless given. */
  readonly allow?: ReadonlySet<string> | undefined
  /** What to do about a field that the client may not read. */
  readonly unreadable?: string | undefined
  /** The columns of a model that results leave out unless they are asked for. */
  readonly omitted?: ((model: string) => ReadonlySet<string>) | undefined
  /** The client refuses `undefined` in what is written. */
  readonly strict?: boolean | undefined
  /** Makes the ORM's decimal of a text; without, it stays its text. */
  readonly toDecimal?: ((text: string) => object) | undefined
}

const NOTHING: ReadonlySet<string> = new Set()
const ADVICE = 'leave it out, or add it to "allow"'

/** Compiles the plans of all models. */
export function compilePlans(schema: EncryptionSchema, options: PlanOptions): Plans {
  const { normalizers = {} } = options
  const reaching = reachingModels(schema)
  const plans = new Map<string, ModelPlan>()
  for (const [name, model] of Object.entries(schema.models)) {
    plans.set(name, emptyPlan(name, model, reaching.has(name), options))
  }
  for (const [name, model] of Object.entries(schema.models)) {
    fillIndexes(plans.get(name)!, model, normalizers)
    fillTokenIndexes(plans.get(name)!, model, normalizers)
    fillMembers(plans, schema, name, model)
  }
  return plans
}

function emptyPlan(name: string, model: ModelSchema, reaches: boolean, options: PlanOptions): ModelPlan {
  const { allow, omitted } = options
  return {
    name,
    id: model.id,
    reaches,
    members: new Map(),
    links: [],
    reading: [],
    relations: new Set(Object.keys(model.relations)),
    encrypted: Object.entries(model.encrypted).map(([field, spec]) => fieldPlan(name, field, spec, options)),
    bound: new Map(Object.entries(model.bound)),
    immutable: new Set(Object.keys(model.bound)),
    tenant: model.tenant,
    uniques: new Map(),
    combined: [],
    hiddenIndexes: [],
    limit: allow && [...allow].sort().join(),
    columns: model.columns,
    omitted: omitted?.(name) ?? NOTHING,
  }
}

function fieldPlan(
  model: string,
  field: string,
  spec: EncryptedFieldSchema,
  { allow, migratingFrom = {}, strict = false, toDecimal, unreadable = ADVICE }: PlanOptions,
): FieldPlan {
  const { context, type, value = type, enum: names, list, pad, bind, state, mask, mode, required } = spec
  const decimal = value === 'Decimal' ? toDecimal : undefined
  const name = `${model}.${field}`
  const former = own(migratingFrom, name)
  const form = { kind: value, column: type, names, list, pad, decimal, direct: mode === 'kms', former }
  const shows = !allow || allow.has(name) ? 'value' : mask ? 'mask' : 'nothing'
  return {
    ...form,
    field,
    name,
    context,
    optional: !required,
    bind,
    strict,
    indexes: [],
    tokenIndexes: [],
    state,
    mask,
    shows,
    unreadable,
  }
}

function fillMembers(plans: Plans, schema: EncryptionSchema, name: string, model: ModelSchema): void {
  const plan = plans.get(name)!
  const members = plan.members as Map<string, Member>
  fillUniques(plan, model)
  for (const field of plan.encrypted) {
    members.set(field.field, { kind: 'encrypted', field })
    for (const index of field.indexes) members.set(index.field, { kind: 'index', index })
    for (const index of field.tokenIndexes) members.set(index.field, { kind: 'tokens', index })
  }
  for (const [field, relation] of Object.entries(model.relations)) {
    const target = plans.get(relation.model)!
    fixReferenced(plan, target, relation)
    const links = relation.from.some((column) => column === plan.tenant || plan.bound.has(column))
    if (!links && !target.reaches) continue
    const inverse = inverseRelation(schema, name, field)
    const changesBound = linksBoundColumns(model, relation, inverse)
    const inherited = inheritedColumns(inverse)
    const compiled = { ...relation, field, name: `${name}.${field}`, model: target, inherited, changesBound }
    members.set(field, { kind: 'relation', relation: compiled })
    if (links) (plan.links as RelationPlan[]).push(compiled)
    if (target.reaches) (plan.reading as RelationPlan[]).push(compiled)
  }
}

/** A bound foreign key must not follow a changing column on the other side. */
function fixReferenced(plan: ModelPlan, target: ModelPlan, relation: RelationSchema): void {
  relation.from.forEach((column, position) => {
    if (plan.bound.has(column)) (target.immutable as Set<string>).add(relation.to[position]!)
  })
}
