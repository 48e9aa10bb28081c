import type { Dice } from './dice.js'
import { addRelations } from './randomRelations.js'
import {
  type Column,
  type Encryption,
  type Index,
  type Kind,
  type Model,
  RANGES,
  type Schema,
  type TokenIndex,
} from './schema.js'

const MODELS = ['User', 'Order', 'Note', 'Device', 'Visit', 'Team']
const PLAIN: readonly Kind[] = [
  'String',
  'Int',
  'Int',
  'BigInt',
  'Float',
  'Decimal',
  'Boolean',
  'DateTime',
  'Enum',
  'Json',
  'Bytes',
]

export function randomSchema(dice: Dice): Schema {
  const names = dice.shuffled(MODELS).slice(0, dice.int(3, 6))
  const models = names.map((name, position) => randomModel(dice, name, position))
  addRelations(dice, models)
  return { models }
}

function randomModel(dice: Dice, name: string, position: number): Model {
  const { id, columns } = randomId(dice)
  const model: Model = {
    name,
    ...(dice.chance(0.5) && { table: `${name.toLowerCase()}_rows` }),
    id,
    columns,
    relations: [],
    uniques: [],
    groups: [],
  }
  if (dice.chance(0.4)) columns.push({ name: 'tenantId', kind: 'String', optional: false, tenant: true })
  columns.push({ name: 'rank', kind: 'Int', optional: false })
  columns.push(...dice.list(1, 3, (index) => plainColumn(dice, `plain${index}`)))
  const encrypted =
    position > 1 && dice.chance(0.15) ? [] : dice.list(2, 5, (index) => encryptedColumn(dice, model, `secret${index}`))
  columns.push(...encrypted)
  addUniques(dice, model)
  addGroup(dice, model)
  return model
}

function randomId(dice: Dice): Pick<Model, 'id' | 'columns'> {
  const key = (name: string, kind: Kind): Column => ({ name, kind, optional: false, ...mapped(dice, name) })
  return dice.weighted([
    [3, () => ({ id: ['id'], columns: [key('id', 'Uuid')] })],
    [2, () => ({ id: ['id'], columns: [key('id', 'String')] })],
    [3, () => ({ id: ['id'], columns: [key('id', 'Int')] })],
    [2, () => ({ id: ['part', 'number'], columns: [key('part', 'Int'), key('number', 'String')] })],
  ])
}

function mapped(dice: Dice, name: string): { column?: string } {
  return dice.chance(0.3) ? { column: `${name.toLowerCase()}_c` } : {}
}

function plainColumn(dice: Dice, name: string): Column {
  const kind = dice.of(PLAIN)
  const unique = dice.chance(0.25) && (kind === 'Int' || kind === 'String')
  return { name, kind, optional: dice.chance(0.5), ...(unique && { unique }), ...mapped(dice, name) }
}

function encryptedColumn(dice: Dice, model: Model, name: string): Column {
  const { kind, storage, list } = randomContent(dice)
  const bind = dice.chance(0.2) ? model.id : []
  const indexes = kind === 'Json' || list ? [] : randomIndexes(dice, name)
  const unique = indexes.some((index) => index.unique)
  const migrating = !unique && (storage !== 'Bytes' || kind === 'Bytes') && dice.chance(0.15)
  const pad = !FIXED.has(kind) && dice.chance(0.15) ? { pad: 32 } : {}
  const tokens = list ? {} : randomTokens(dice, name, kind)
  const encrypted = { storage, bind, indexes, ...tokens, ...pad, ...(migrating && { migrating }) }
  const shape = list ? { optional: false, list } : { optional: dice.chance(0.6) }
  return { name, kind, ...shape, ...(unique && { unique }), ...mapped(dice, name), encrypted }
}

/** Kinds whose values are equally long, which need no padding. */
const FIXED: ReadonlySet<Kind> = new Set<Kind>(['Int', 'BigInt', 'Float', 'Boolean', 'DateTime'])
const TYPED: readonly Kind[] = [
  'Int',
  'BigInt',
  'Float',
  'Decimal',
  'Boolean',
  'DateTime',
  'Enum',
  'Json',
  'String',
  'Bytes',
]

interface Content {
  readonly kind: Kind
  readonly storage: Encryption['storage']
  readonly list?: true
}

/** What a field holds and what its column is; half of the time the same. */
function randomContent(dice: Dice): Content {
  const stored = () => dice.of(['String', 'Bytes'] as const)
  return dice.weighted<Content>([
    [5, () => ({ kind: 'String', storage: 'String' })],
    [2, () => ({ kind: 'Bytes', storage: 'Bytes' })],
    [2, () => ({ kind: 'Json', storage: 'Json' })],
    [8, () => ({ kind: dice.of(TYPED), storage: stored() })],
    [1, () => ({ kind: dice.of(['String', 'Int', 'DateTime', 'Enum'] as const), storage: stored(), list: true })],
  ])
}

function randomIndexes(dice: Dice, field: string): Index[] {
  const index = (suffix: string, unique: boolean): Index => ({
    column: `${field}${suffix}`,
    storage: dice.chance(0.7) ? 'String' : 'Bytes',
    scope: dice.chance(0.2) ? 'global' : 'tenant',
    bits: unique ? dice.of([128, 256]) : dice.of([128, 128, 128, 256, 8]),
    unique,
  })
  return dice.weighted<Index[]>([
    [3, () => []],
    [4, () => [index('Index', false)]],
    [4, () => [index('Index', true)]],
    [1, () => [index('First', false), index('Second', true)]],
  ])
}

function randomTokens(dice: Dice, field: string, kind: Kind): { tokens?: TokenIndex } {
  if ((kind !== 'String' && !RANGES[kind]) || !dice.chance(0.5)) return {}
  return { tokens: { column: `${field}Tokens`, scope: dice.chance(0.2) ? 'global' : 'tenant' } }
}

/** Compound uniques of a plain column and one that is indexed exactly. */
function addUniques(dice: Dice, model: Model): void {
  const exact = model.columns.filter(({ encrypted }) => encrypted?.indexes[0] && encrypted.indexes[0].bits >= 128)
  const plain = ['tenantId', 'rank'].filter((name) => model.columns.some((column) => column.name === name))
  for (const { name, unique, encrypted } of exact) {
    if (unique || encrypted?.migrating || !dice.chance(0.4)) continue
    const fields = dice.chance(0.7) ? [dice.of(plain), name] : [name, dice.of(plain)]
    model.uniques.push({ fields, ...(dice.chance(0.3) && { name: `login${model.uniques.length}` }) })
  }
}

/** An index over two fields that have none of their own. */
function addGroup(dice: Dice, model: Model): void {
  const sources = model.columns.filter(
    ({ encrypted, kind, list }) => encrypted && encrypted.indexes.length === 0 && kind !== 'Json' && !list,
  )
  if (sources.length < 2 || !dice.chance(0.8)) return
  model.groups.push({ column: 'pairIndex', sources: sources.slice(0, 2).map(({ name }) => name) })
}
