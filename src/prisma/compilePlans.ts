import { own } from '../own.js'
import type { EncryptedFieldSchema, EncryptionSchema, ModelSchema, RelationSchema } from '../schema/encryptionSchema.js'
import { clientName } from './clientModels.js'
import { toDecimal } from './decimal.js'
import { farEnd, givenThrough, linksBound } from './farEnd.js'
import { fillIndexes, fillUniques } from './indexPlans.js'
import type { Normalizers } from './normalizers.js'
import type { FieldPlan, Member, ModelPlan, Plans, RelationPlan } from './plan.js'
import { reachingModels } from './reachingModels.js'

/** The `omit` option of a Prisma client, by the model's name in the client. */
export type GlobalOmit = { readonly [model: string]: { readonly [field: string]: boolean | undefined } | undefined }

/**
 * Compiles the plans of all models.
 *
 * @param allow the fields that the client may read, as `Model.field`; all unless given
 * @param strict the client has the preview feature strictUndefinedChecks
 */
export function compilePlans(
  schema: EncryptionSchema,
  globalOmit: GlobalOmit = {},
  normalizers: Normalizers = {},
  allow?: ReadonlySet<string>,
  strict = false,
): Plans {
  const reaching = reachingModels(schema)
  const plans = new Map<string, ModelPlan>()
  for (const [name, model] of Object.entries(schema.models)) {
    plans.set(name, emptyPlan(name, model, { reaches: reaching.has(name), globalOmit, allow, strict }))
  }
  for (const [name, model] of Object.entries(schema.models)) {
    fillIndexes(plans.get(name)!, model, normalizers)
    fillMembers(plans, schema, name, model)
  }
  return plans
}

interface ClientFacts {
  readonly reaches: boolean
  readonly globalOmit: GlobalOmit
  readonly allow: ReadonlySet<string> | undefined
  readonly strict: boolean
}

function emptyPlan(name: string, model: ModelSchema, { reaches, globalOmit, ...facts }: ClientFacts): ModelPlan {
  const { allow } = facts
  const omit = Object.entries(own(globalOmit, clientName(name)) ?? {})
  return {
    name,
    reaches,
    members: new Map(),
    links: [],
    reading: [],
    relations: new Set(Object.keys(model.relations)),
    encrypted: Object.entries(model.encrypted).map(([field, spec]) => fieldPlan(name, field, spec, facts)),
    bound: new Map(Object.entries(model.bound)),
    frozen: new Set(Object.keys(model.bound)),
    tenant: model.tenant,
    uniques: new Map(),
    combined: [],
    closed: [],
    limit: allow && [...allow].sort().join(),
    columns: model.columns,
    omitted: new Set(omit.filter(([, omitted]) => omitted).map(([field]) => field)),
  }
}

function fieldPlan(
  model: string,
  field: string,
  spec: EncryptedFieldSchema,
  { allow, strict }: Pick<ClientFacts, 'allow' | 'strict'>,
): FieldPlan {
  const { context, type, value = type, enum: names, list, pad, bind, state, mask, mode, required } = spec
  const decimal = value === 'Decimal' ? toDecimal : undefined
  const form = { kind: value, column: type, names, list, pad, decimal, direct: mode === 'kms' }
  const name = `${model}.${field}`
  const shows = !allow || allow.has(name) ? 'value' : mask ? 'mask' : 'nothing'
  return { ...form, field, name, context, optional: !required, bind, strict, indexes: [], state, mask, shows }
}

function fillMembers(plans: Plans, schema: EncryptionSchema, name: string, model: ModelSchema): void {
  const plan = plans.get(name)!
  const members = plan.members as Map<string, Member>
  fillUniques(plan, model)
  for (const field of plan.encrypted) {
    members.set(field.field, { kind: 'encrypted', field })
    for (const index of field.indexes) members.set(index.field, { kind: 'index', index })
  }
  for (const [field, relation] of Object.entries(model.relations)) {
    const target = plans.get(relation.model)!
    freezeReferenced(plan, target, relation)
    const links = relation.from.some((column) => column === plan.tenant || plan.bound.has(column))
    if (!links && !target.reaches) continue
    const ends = farEnd(schema, name, field)
    const changesBound = linksBound(model, relation, ends)
    const given = givenThrough(ends)
    const compiled = { ...relation, field, name: `${name}.${field}`, model: target, given, changesBound }
    members.set(field, { kind: 'relation', relation: compiled })
    if (links) (plan.links as RelationPlan[]).push(compiled)
    if (target.reaches) (plan.reading as RelationPlan[]).push(compiled)
  }
}

/** A bound foreign key must not follow a changing column on the other side. */
function freezeReferenced(plan: ModelPlan, target: ModelPlan, relation: RelationSchema): void {
  relation.from.forEach((column, position) => {
    if (plan.bound.has(column)) (target.frozen as Set<string>).add(relation.to[position]!)
  })
}
