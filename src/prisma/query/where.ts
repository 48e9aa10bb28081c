import type { TenantHolder } from '../../cipher/cipher.js'
import { checkSearchable } from '../../client/masking.js'
import type { Pass } from '../../client/pass.js'
import { own } from '../../own.js'
import { type ColumnIndex, isIndexColumn } from '../../plan/columnIndex.js'
import { isExact } from '../../plan/exactIndex.js'
import type { CompoundPlan, FieldPlan, IndexPlan, ModelPlan, RelationPlan } from '../../plan/plan.js'
import { GLOBAL_TENANT } from '../../tenancy/tenant.js'
import { isAbsent, isFieldRef, isPlainObject, listOf } from '../values.js'
import { type Checks, checkLater, checkLaterTogether } from './falsePositive.js'
import { fixedBy } from './fixedBy.js'
import { migratingFilter } from './migratingFilter.js'
import { type Negation, NO_NEGATION, negated, RELATION_FILTERS, throughRelation } from './negation.js'
import { recordOwner } from './recordOwner.js'
import { notNegated, notUnique, notUniqueYet, refusedFilter } from './refusals.js'
import { addIndexSlot, equalValue, FILTER, indexCondition, isNullFilter, nullCondition, type Search } from './search.js'
import { type TokenContext, takeTokenParts } from './tokenFilter.js'

type Where = Record<string, unknown>

/** Where a condition stands. */
interface WhereContext extends Negation {
  readonly pass: Pass
  readonly plan: ModelPlan
  /** Whose rows are meant, as far as the conditions around say; asked only where a value is looked for. */
  readonly owner: () => TenantHolder
  readonly checks: Checks
}

/**
 * Rewrites a filter, at any depth, so that the blind indexes answer it; in place.
 *
 * @param checks takes up what the rows must be held against, or says what makes that impossible
 * @throws FieldsealError `QUERY_UNSUPPORTED` when it needs the value of an encrypted field in a way that no index gives
 */
export function rewriteWhere(pass: Pass, plan: ModelPlan, where: unknown, owner: TenantHolder, checks: Checks): void {
  rewrite({ pass, plan, owner: () => owner, checks, ...NO_NEGATION }, where)
}

/**
 * Rewrites a unique `where`, which may name its row by an encrypted field whose blind index is unique.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED`
 */
export function rewriteUnique(pass: Pass, plan: ModelPlan, where: unknown, owner: TenantHolder): void {
  if (!plan.reaches) return
  for (const element of listOf(where)) {
    if (!isPlainObject(element)) continue
    checkUnique(plan, element)
    const context = { pass, plan, owner: () => owner, checks: 'a unique where', ...NO_NEGATION }
    rewrite(context, element, uniqueIndexOf)
  }
}

type ChooseIndex = (field: FieldPlan) => IndexPlan | undefined

/** The first index of the field alone that finds nothing else; the first one if none does. */
export function indexOf({ indexes }: FieldPlan): IndexPlan | undefined {
  const own = indexes.filter(({ sources }) => sources.length === 1)
  return own.find(isExact) ?? own[0]
}

export function uniqueIndexOf(field: FieldPlan): IndexPlan | undefined {
  return field.indexes.find(({ unique, sources }) => unique && sources.length === 1) ?? indexOf(field)
}

function rewrite(outer: WhereContext, where: unknown, choose: ChooseIndex = indexOf): void {
  const { plan, pass } = outer
  if (!plan.reaches) return
  for (const element of listOf(where)) {
    if (!isPlainObject(element)) continue
    const owner = once(() => recordOwner(pass.tenancy, plan, { where: fixedBy(plan, element) }, outer.owner()))
    rewriteElement({ ...outer, owner }, element, choose)
  }
}

function rewriteElement(context: WhereContext, element: Where, choose: ChooseIndex): void {
  const others: Where[] = []
  for (const index of context.plan.combined) rewriteCombined(context, element, index, { choose, others })
  for (const key of Object.keys(element)) {
    if (!isAbsent(element[key])) rewriteCondition(context, element, key, { choose, others })
  }
  if (others.length > 0) element.AND = [...listOf(element.AND).filter((part) => !isAbsent(part)), ...others]
}

interface Rewriting {
  readonly choose: ChooseIndex
  /** Conditions that find no place in the object itself. */
  readonly others: Where[]
}

function rewriteCondition(context: WhereContext, element: Where, key: string, { choose, others }: Rewriting): void {
  const { plan } = context
  const member = plan.members.get(key)
  const compound = plan.uniques.get(key)
  if (member?.kind === 'encrypted') rewriteField(context, element, member.field, { choose, others })
  else if (member?.kind === 'relation') rewriteRelation(context, member.relation, element[key])
  else if (isIndexColumn(member)) checkIndexFilter(plan, member.index, element[key])
  else if (key === 'AND') rewrite(context, element[key])
  else if (key === 'OR') rewrite({ ...context, checks: '"OR"' }, element[key])
  else if (key === 'NOT') rewrite({ ...context, ...negated(context), checks: '"NOT"' }, element[key])
  else if (compound) rewriteCompound(context, element, key, compound)
  else checkReferences(plan, element[key])
}

function rewriteField(context: WhereContext, element: Where, field: FieldPlan, { choose, others }: Rewriting): void {
  const { rest: condition, filters } = takeTokenParts(tokenContext(context), field, element[field.field])
  others.push(...filters)
  if (condition === undefined) {
    delete element[field.field]
    return
  }
  if (isNullFilter(condition)) {
    element[field.field] = nullCondition(field, condition)
    return
  }
  const index = choose(field)
  if (!index) throw refusedFilter(field, operatorIn(condition))
  const holder = !field.state && isAbsent(own(element, index.field)) ? element : {}
  indexCondition(searchIn(context, field, index, choose), condition, holder, index.field)
  checkLater(context.checks, index, condition)
  delete element[field.field]
  if (field.state) others.push(migratingFilter(index, holder, { [field.field]: condition }))
  else if (holder !== element) others.push(holder)
}

function tokenContext(context: WhereContext): TokenContext {
  return {
    checks: context.checks,
    isNegative: context.isNegative,
    isAmbiguous: context.isAmbiguous,
    addTokens: (index, { bodies }, holder, key, use) => {
      const field = index.sources[0]!
      const owner = ownerIn(context, index)
      holder[key] = undefined
      context.pass.slots.push({ mode: 'tokens', use, field, owner, holder, key, index, bodies: () => bodies })
    },
  }
}

/**
 * An index over several fields answers when each is asked for one value, unless each has an index of its own. Where one
 * field is null, so is the index: whether the other fields differ, which a negation would need, it does not tell.
 */
function rewriteCombined(context: WhereContext, element: Where, index: IndexPlan, { choose, others }: Rewriting): void {
  const { sources } = index
  if (!index.unique && sources.every((field) => indexOf(field))) return
  const conditions = sources.map(({ field }) => [field, own(element, field)] as const)
  const values = conditions.map(([, condition]) => equalValue(condition))
  if (values.includes(undefined)) return
  if (context.negated && sources.some(({ optional }) => optional)) throw notNegated(index)
  const migrating = sources.some(({ state }) => state)
  const holder = !migrating && isAbsent(own(element, index.field)) ? element : {}
  addIndexSlot(searchIn(context, sources[0]!, index, choose), holder, index.field, values)
  checkLaterTogether(context.checks, index, values)
  for (const { field } of sources) delete element[field]
  if (migrating) others.push(migratingFilter(index, holder, Object.fromEntries(conditions)))
  else if (holder !== element) others.push(holder)
}

/** A column of a blind index, asked by itself. */
function checkIndexFilter(plan: ModelPlan, index: ColumnIndex, condition: unknown): void {
  if (!isNullFilter(condition)) checkSearchable(index)
  checkReferences(plan, condition)
}

/** The name of a compound unique, and the blind indexes in its value. */
function rewriteCompound(
  context: WhereContext,
  element: Where,
  key: string,
  { selector, indexes }: CompoundPlan,
): void {
  const part = element[key]
  if (!isPlainObject(part)) return
  for (const index of indexes) {
    if (!isAbsent(own(part, index.field))) checkSearchable(index)
    const values = index.sources.map(({ field }) => equalValue(own(part, field)))
    if (values.includes(undefined)) continue
    const migrating = index.sources.find(({ state }) => state)
    if (migrating) throw notUniqueYet(migrating)
    for (const { field } of index.sources) delete part[field]
    addIndexSlot(searchIn(context, index.sources[0]!, index, uniqueIndexOf), part, index.field, values)
  }
  delete element[key]
  element[selector] = part
}

const FOR_ALL: TenantHolder = { tenant: GLOBAL_TENANT }

/** @throws FieldsealError `ACCESS_DENIED` */
function searchIn(context: WhereContext, field: FieldPlan, index: IndexPlan, choose: ChooseIndex): Search {
  // Prisma takes one value, and no filter, for what names a row.
  const several = choose === uniqueIndexOf && index.constrained ? undefined : FILTER
  return { pass: context.pass, field, index, owner: ownerIn(context, index), several }
}

/** @throws FieldsealError `ACCESS_DENIED` */
function ownerIn({ owner }: WhereContext, index: ColumnIndex): TenantHolder {
  checkSearchable(index)
  return index.scope === 'global' ? FOR_ALL : owner()
}

function rewriteRelation(context: WhereContext, relation: RelationPlan, condition: unknown): void {
  if (!isPlainObject(condition)) return
  const { model, list } = relation
  const inside = { ...context, plan: model, checks: 'a filter through a relation' }
  for (const filter of RELATION_FILTERS) {
    if (!list && Object.hasOwn(model.columns, filter)) continue
    rewrite({ ...inside, ...throughRelation(context, filter) }, condition[filter])
  }
  if (!list) rewrite({ ...inside, ...throughRelation(context, 'is') }, condition)
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` when an encrypted field alone should name the row and cannot */
function checkUnique(plan: ModelPlan, where: Where): void {
  const asked = plan.encrypted.filter(({ field }) => equalValue(own(where, field)) !== undefined)
  const migrating = asked.find((field) => field.state && uniqueIndexOf(field)?.unique)
  if (migrating) throw notUniqueYet(migrating)
  const together = plan.combined.some(
    ({ unique, sources }) => unique && sources.every((source) => asked.includes(source)),
  )
  const named = together || asked.some((field) => uniqueIndexOf(field)?.unique)
  if (asked.length > 0 && !named && !Object.keys(where).some((key) => mayName(plan, where, key)))
    throw notUnique(asked[0]!)
}

/** Whether a key of a unique `where` may name the row, as far as is known of it. */
function mayName(plan: ModelPlan, where: Where, key: string): boolean {
  if (isAbsent(where[key]) || COMBINATORS.has(key)) return false
  return !plan.members.has(key) || plan.members.get(key)?.kind === 'index'
}

/** What joins conditions. */
export const COMBINATORS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT'])

/** A plain column must not be compared with an encrypted one. */
export function checkReferences(plan: ModelPlan, condition: unknown): void {
  if (plan.encrypted.length === 0) return
  if (isFieldRef(condition)) {
    const member = condition.modelName === plan.name ? plan.members.get(condition.name) : undefined
    if (member?.kind === 'encrypted') throw refusedFilter(member.field, 'a field reference')
    if (isIndexColumn(member)) checkSearchable(member.index)
  } else if (isPlainObject(condition)) {
    for (const operand of Object.values(condition)) checkReferences(plan, operand)
  }
}

/** The operator to name in a refusal. */
function operatorIn(condition: unknown): string {
  if (isFieldRef(condition)) return 'a field reference'
  if (!isPlainObject(condition)) return 'equals'
  const said = Object.keys(condition).filter((operator) => !isNullFilter({ [operator]: condition[operator] }))
  return said.find((operator) => operator !== 'mode') ?? 'mode'
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
