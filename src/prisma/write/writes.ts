import type { TenantHolder } from '../../cipher/cipher.js'
import { boundTexts, type KnownValues } from '../../client/boundColumns.js'
import type { Pass } from '../../client/pass.js'
import { FieldsealError } from '../../errors.js'
import { own } from '../../own.js'
import { isIndexColumn } from '../../plan/columnIndex.js'
import type { ModelPlan, RelationPlan } from '../../plan/plan.js'
import { fixedBy } from '../query/fixedBy.js'
import { recordOwner } from '../query/recordOwner.js'
import { rewriteUnique, rewriteWhere } from '../query/where.js'
import { isAbsent, isDbNull, isPlainObject, listOf, partOf } from '../values.js'
import { fillBoundDefaults } from './clientDefault.js'
import { boundValueShared, checkImmutable, immutableLink } from './immutableColumns.js'
import { withLinks } from './links.js'
import { collectField, type WrittenRecord } from './writtenField.js'

/** Collects what a new record, and all nested in it, encrypts. */
export function collectCreate(
  pass: Pass,
  plan: ModelPlan,
  data: unknown,
  parent: TenantHolder,
  inherited: KnownValues = {},
): void {
  if (!isPlainObject(data)) return
  if (plan.encrypted.some(({ field, bind }) => bind.length > 0 && writes(own(data, field))))
    fillBoundDefaults(plan, data)
  const known = { ...withLinks(plan, data), ...inherited }
  collectMembers(pass, plan, {
    data,
    known,
    context: 'create',
    owner: recordOwner(pass.tenancy, plan, { data: known }, parent),
    bound: (field) =>
      boundTexts(
        plan,
        field,
        known,
        'give it in the data of this create, or in the data of the record around it that has it',
      ),
  })
}

/** Collects what new records, one or many, encrypt. */
export function collectCreates(
  pass: Pass,
  plan: ModelPlan,
  data: unknown,
  parent: TenantHolder,
  inherited: KnownValues = {},
): void {
  for (const record of listOf(data)) collectCreate(pass, plan, record, parent, inherited)
}

/** Collects what the update of the one row that `where` names encrypts. */
export function collectUpdate(
  pass: Pass,
  plan: ModelPlan,
  row: RowUpdate,
  parent: TenantHolder,
  inherited: KnownValues = {},
): void {
  const { where, data } = row
  if (!isPlainObject(data)) return
  const fixed = { ...inherited, ...fixedBy(plan, where) }
  checkImmutable(plan, data, fixed)
  collectMembers(pass, plan, {
    data,
    known: fixed,
    context: 'update',
    owner: recordOwner(pass.tenancy, plan, { data: withLinks(plan, data), where: fixed }, parent),
    bound: (field) => boundTexts(plan, field, fixed, 'name it in the unique where of this update'),
  })
}

interface RowUpdate {
  readonly where: unknown
  readonly data: unknown
}

/** Collects what the update of any number of rows encrypts. */
export function collectUpdateMany(pass: Pass, plan: ModelPlan, rows: RowUpdate, parent: TenantHolder): void {
  const { where, data } = rows
  if (!isPlainObject(data)) return
  const fixed = fixedBy(plan, where)
  checkImmutable(plan, data, {})
  collectMembers(pass, plan, {
    data,
    known: fixed,
    context: 'update',
    owner: recordOwner(pass.tenancy, plan, { data, where: fixed }, parent),
    bound: (field) => {
      if (field.bind.length > 0) throw boundValueShared(field)
      return field.bind
    },
  })
}

function collectMembers(pass: Pass, plan: ModelPlan, record: WrittenRecord): void {
  const { data } = record
  for (const key of Object.keys(data).filter((name) => !isAbsent(data[name]))) {
    const member = plan.members.get(key)
    if (member?.kind === 'encrypted') collectField(pass.slots, record, member.field)
    else if (member?.kind === 'relation') collectNested(pass, member.relation, record, data[key])
    else if (isIndexColumn(member))
      throw indexWritten(
        plan,
        key,
        member.index.sources.map(({ field }) => field),
      )
  }
}

/** What nested records have from the record around them. */
interface Around {
  readonly owner: TenantHolder
  /** Values of their foreign keys. */
  readonly inherited: KnownValues
}

/** One operation inside the data of a relation: `posts: { create: … }`. */
type NestedWrite = (pass: Pass, relation: RelationPlan, value: unknown, around: Around) => void

const NESTED: { readonly [operation: string]: NestedWrite } = {
  create: (pass, { model }, value, { owner, inherited }) => collectCreates(pass, model, value, owner, inherited),
  createMany: (pass, { model }, value, { owner, inherited }) =>
    collectCreates(pass, model, partOf(value, 'data'), owner, inherited),
  connectOrCreate: forEach((pass, { model }, { where, create }, { owner, inherited }) => {
    rewriteUnique(pass, model, where, owner)
    collectCreate(pass, model, create, owner, inherited)
  }),
  upsert: forEach((pass, relation, { where, create, update }, { owner, inherited }) => {
    const { model } = relation
    rewriteRow(pass, relation, where, owner)
    collectCreate(pass, model, create, owner, inherited)
    collectUpdate(pass, model, { where, data: update }, owner, inherited)
  }),
  update: forEach((pass, relation, value, { owner, inherited }) => {
    const { where, data } = rowUpdate(relation, value)
    rewriteRow(pass, relation, where, owner)
    collectUpdate(pass, relation.model, { where, data }, owner, inherited)
  }),
  updateMany: forEach((pass, { model }, { where, data }, { owner }) => {
    rewriteWhere(pass, model, where, owner, 'a nested updateMany')
    collectUpdateMany(pass, model, { where, data }, owner)
  }),
  connect: (pass, { model }, value, { owner }) => rewriteUnique(pass, model, value, owner),
  disconnect: (pass, relation, value, { owner }) => rewriteRow(pass, relation, value, owner),
  set: (pass, { model }, value, { owner }) => rewriteUnique(pass, model, value, owner),
  delete: (pass, relation, value, { owner }) => rewriteRow(pass, relation, value, owner),
  deleteMany: (pass, { model }, value, { owner }) => rewriteWhere(pass, model, value, owner, 'a nested deleteMany'),
}

/** A row of a list is named by a unique `where`; the one at the other end of a to-one relation is only filtered. */
function rewriteRow(pass: Pass, { list, model }: RelationPlan, where: unknown, owner: TenantHolder): void {
  if (list) rewriteUnique(pass, model, where, owner)
  else rewriteWhere(pass, model, where, owner, 'a nested write')
}

/** These move a row from one parent to another. */
const LINKING = new Set(['connect', 'connectOrCreate', 'disconnect', 'set'])

function collectNested(pass: Pass, relation: RelationPlan, record: WrittenRecord, value: unknown): void {
  if (!isPlainObject(value)) return
  const { context } = record
  const around = aroundOf(pass, relation, record)
  const ownLink = context === 'create' && relation.from.length > 0
  for (const [operation, part] of Object.entries(value)) {
    if (isAbsent(part)) continue
    if (LINKING.has(operation) && relation.changesBound && !ownLink) throw immutableLink(relation, operation)
    const collect = own(NESTED, operation)
    if (!collect)
      throw new FieldsealError('QUERY_UNSUPPORTED', `${relation.name}: the nested write "${operation}" is unknown`)
    collect(pass, relation, part, around)
  }
}

/** Records nested in the row that their tenant column refers to are of the tenant that it names. */
function aroundOf({ tenancy }: Pass, { model, inherited }: RelationPlan, { owner, known }: WrittenRecord): Around {
  if (inherited.length === 0) return { owner, inherited: {} }
  const columns = inherited.filter((column) => !isAbsent(own(known, column.own)))
  const values = Object.fromEntries(columns.map(({ column, own }) => [column, known[own]]))
  return { owner: recordOwner(tenancy, model, { data: values }, owner), inherited: values }
}

function forEach(
  collect: (pass: Pass, relation: RelationPlan, value: Record<string, unknown>, around: Around) => void,
): NestedWrite {
  return (pass, relation, value, around) => {
    for (const part of listOf(value)) if (isPlainObject(part)) collect(pass, relation, part, around)
  }
}

/** A to-one `update` takes the data itself, or `{ where, data }`. */
function rowUpdate({ list, model, name }: RelationPlan, value: Record<string, unknown>): RowUpdate {
  const hasColumn = Object.hasOwn(model.columns, 'data')
  const others = Object.keys(value).some((key) => key !== 'data' && key !== 'where')
  if (list || ('data' in value && !hasColumn)) return { where: value.where, data: value.data }
  if (!hasColumn || others || !isPlainObject(value.data)) return { where: undefined, data: value }
  const message = `${name}: "update" could mean the field ${model.name}.data or the wrapper { where, data }; update ${model.name} itself`
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}

function writes(value: unknown): boolean {
  return !isAbsent(value) && !isDbNull(value)
}

function indexWritten({ name }: ModelPlan, column: string, sources: readonly string[]): FieldsealError {
  const message = `${name}.${column} is an index, which fieldseal fills: write ${sources.join(' and ')} and leave it out`
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}
