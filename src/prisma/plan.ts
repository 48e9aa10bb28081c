import type { CipherField, CipherIndex } from '../cipher.js'
import type { MaskName } from '../masks/masks.js'
import type {
  BoundColumnSchema,
  EncryptedFieldSchema,
  EncryptionSchema,
  ModelSchema,
  RelationSchema,
} from '../schema/encryptionSchema.js'
import { toDecimal } from './decimal.js'
import { type Normalizers, normalizersOf } from './normalizers.js'

/** An encrypted field with all that an operation needs to know of it. */
export interface FieldPlan extends CipherField {
  readonly field: string
  readonly optional: boolean
  readonly bind: readonly string[]
  /** All blind indexes that are made from it. */
  readonly indexes: readonly IndexPlan[]
  readonly state: EncryptedFieldSchema['state']
  readonly mask: MaskName | undefined
  /** What the client gets of it. */
  readonly shows: 'value' | 'mask' | 'nothing'
}

export interface IndexPlan extends CipherIndex {
  readonly field: string
  readonly sources: readonly FieldPlan[]
  /** The column is unique by itself. */
  readonly unique: boolean
  /** The client may not read all of its sources, and so must not search by it. */
  readonly closed: boolean
}

export interface RelationPlan {
  readonly field: string
  /** `Model.field`, for messages. */
  readonly name: string
  readonly model: ModelPlan
  readonly list: boolean
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** Where the foreign key is on the other side: the tenant and bound columns there that take this row's values. */
  readonly given: readonly { readonly column: string; readonly own: string }[]
  /** Linking through it changes a column that ciphertexts are bound to. */
  readonly changesBound: boolean
}

/** What a key in the arguments of a model may mean; keys that mean nothing to us are absent. */
export type Member =
  | { readonly kind: 'encrypted'; readonly field: FieldPlan }
  | { readonly kind: 'index'; readonly index: IndexPlan }
  | { readonly kind: 'relation'; readonly relation: RelationPlan }

/** A compound unique, reached in a unique `where` by its selector or, where it has a blind index, by an alias. */
export interface CompoundPlan {
  /** Prisma's own name of it. */
  readonly selector: string
  /** The blind indexes among its columns. */
  readonly indexes: readonly IndexPlan[]
}

/** A model, compiled once; operations differ only in the roles of their arguments. */
export interface ModelPlan {
  readonly name: string
  readonly members: ReadonlyMap<string, Member>
  readonly encrypted: readonly FieldPlan[]
  /** Relations through which an encrypted field can be read. */
  readonly reading: readonly RelationPlan[]
  /** The names of all relations. */
  readonly relations: ReadonlySet<string>
  /** Relations whose foreign key is the tenant or a bound column. */
  readonly links: readonly RelationPlan[]
  readonly bound: ReadonlyMap<string, BoundColumnSchema>
  /** Columns whose change would make ciphertexts here or in a related model unreadable. */
  readonly frozen: ReadonlySet<string>
  readonly tenant: string | undefined
  /** Compound uniques by selector and alias. */
  readonly uniques: ReadonlyMap<string, CompoundPlan>
  /** Blind indexes over several fields. */
  readonly combined: readonly IndexPlan[]
  /** Columns of blind indexes of fields that the client may not read. */
  readonly closed: readonly string[]
  /** The fields that the client may read, in one text; `undefined`: all. */
  readonly limit: string | undefined
  readonly columns: { readonly [field: string]: string }
  /** Columns that the client leaves out of results unless asked (`new PrismaClient({ omit })`). */
  readonly omitted: ReadonlySet<string>
  /** An encrypted field is here or can be reached through relations. */
  readonly reaches: boolean
}

export type Plans = ReadonlyMap<string, ModelPlan>

/** The `omit` option of a Prisma client, by the model's name in the client. */
export type GlobalOmit = { readonly [model: string]: { readonly [field: string]: boolean | undefined } | undefined }

/**
 * Compiles the plans of all models.
 *
 * @param allow the fields that the client may read, as `Model.field`; all unless given
 */
export function compilePlans(
  schema: EncryptionSchema,
  globalOmit: GlobalOmit = {},
  normalizers: Normalizers = {},
  allow?: ReadonlySet<string>,
): Plans {
  const reaching = reachingModels(schema)
  const plans = new Map<string, ModelPlan>()
  for (const [name, model] of Object.entries(schema.models)) {
    plans.set(name, emptyPlan(name, model, { reaches: reaching.has(name), globalOmit, allow }))
  }
  for (const [name, model] of Object.entries(schema.models)) {
    fillIndexes(plans.get(name)!, model, normalizers)
    fillMembers(plans, schema, name, model)
  }
  return plans
}

/** Prisma's name of a model on the client. */
export function clientName(model: string): string {
  return model.charAt(0).toLowerCase() + model.slice(1)
}

interface ClientFacts {
  readonly reaches: boolean
  readonly globalOmit: GlobalOmit
  readonly allow: ReadonlySet<string> | undefined
}

function emptyPlan(name: string, model: ModelSchema, { reaches, globalOmit, allow }: ClientFacts): ModelPlan {
  const omit = Object.entries(globalOmit[clientName(name)] ?? {})
  return {
    name,
    reaches,
    members: new Map(),
    links: [],
    reading: [],
    relations: new Set(Object.keys(model.relations)),
    encrypted: Object.entries(model.encrypted).map(([field, spec]) => fieldPlan(name, field, spec, allow)),
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
  allow: ReadonlySet<string> | undefined,
): FieldPlan {
  const { context, type, value = type, enum: names, list, pad, bind, state, mask, mode, required } = spec
  const decimal = value === 'Decimal' ? toDecimal : undefined
  const form = { kind: value, column: type, names, list, pad, decimal, direct: mode === 'kms' }
  const name = `${model}.${field}`
  const shows = !allow || allow.has(name) ? 'value' : mask ? 'mask' : 'nothing'
  return { ...form, field, name, context, optional: !required, bind, indexes: [], state, mask, shows }
}

/** Fields and indexes refer to each other. */
function fillIndexes(
  { name, encrypted, combined, closed }: ModelPlan,
  { indexes }: ModelSchema,
  normalizers: Normalizers,
): void {
  const fields = new Map(encrypted.map((field) => [field.field, field]))
  for (const [column, { type, sources, unique, ...index }] of Object.entries(indexes)) {
    const plans = sources.map((source) => fields.get(source)!)
    const plan = {
      ...index,
      field: column,
      name: `${name}.${column}`,
      column: type,
      sources: plans,
      unique: !!unique,
      closed: plans.some(({ shows }) => shows !== 'value'),
      normalizers: normalizersOf(index.normalize, normalizers),
    }
    for (const field of plans) (field.indexes as IndexPlan[]).push(plan)
    if (plans.length > 1) (combined as IndexPlan[]).push(plan)
    if (plan.closed) (closed as string[]).push(column)
  }
}

/** A compound unique with a blind index in it goes by the name that it would have over the indexed field, too. */
function fillUniques({ uniques, encrypted }: ModelPlan, model: ModelSchema): void {
  const all = uniques as Map<string, CompoundPlan>
  const indexes = new Map(encrypted.flatMap((field) => field.indexes.map((index) => [index.field, index])))
  for (const [selector, fields] of Object.entries(model.uniques)) {
    const own = fields.flatMap((field) => indexes.get(field) ?? [])
    all.set(selector, { selector, indexes: own })
    const plain = fields.flatMap((field) => indexes.get(field)?.sources.map((source) => source.field) ?? [field])
    const alias = plain.join('_')
    const isFree = !Object.hasOwn(model.uniques, alias) && !Object.hasOwn(model.columns, alias)
    if (selector === fields.join('_') && isFree) all.set(alias, { selector, indexes: own })
  }
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

/** What new rows on the other side take from this one through their foreign key: tenant and bound columns. */
function givenThrough({ other, inverse }: FarEnd): RelationPlan['given'] {
  if (!inverse) return []
  return inverse.from
    .map((column, position) => ({ column, own: inverse.to[position]! }))
    .filter(({ column }) => column === other.tenant || Object.hasOwn(other.bound, column))
}

/** Whether either end of a relation holds its foreign key in a bound column; an end that is not known may. */
function linksBound(model: ModelSchema, relation: RelationSchema, { other, inverse }: FarEnd): boolean {
  const isBound = (owner: ModelSchema) => (column: string) => Object.hasOwn(owner.bound, column)
  const far = inverse ? inverse.from : Object.keys(other.bound)
  return relation.from.some(isBound(model)) || far.some(isBound(other))
}

/** The other side of a relation. Its field is not known where the schema ignores it. */
interface FarEnd {
  readonly other: ModelSchema
  readonly inverse: RelationSchema | undefined
}

function farEnd(schema: EncryptionSchema, name: string, field: string): FarEnd {
  const near = schema.models[name]!.relations[field]!
  const other = schema.models[near.model]!
  const candidates = Object.entries(other.relations).filter(([candidate]) => near.model !== name || candidate !== field)
  const inverse = candidates.find(([, { model, relationName }]) => model === name && relationName === near.relationName)
  return { other, inverse: inverse?.[1] }
}

/** Models from which an encrypted field can be reached: a fixed point over relations, which may be cyclic. */
function reachingModels(schema: EncryptionSchema): Set<string> {
  const models = Object.entries(schema.models)
  const reaching = new Set(models.filter(([, model]) => Object.keys(model.encrypted).length > 0).map(([name]) => name))
  for (let before = -1; before !== reaching.size; ) {
    before = reaching.size
    for (const [name, model] of models) {
      if (Object.values(model.relations).some((relation) => reaching.has(relation.model))) reaching.add(name)
    }
  }
  return reaching
}
