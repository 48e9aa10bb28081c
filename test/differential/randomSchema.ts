import type { Dice } from './dice.js'
import { addRelations } from './randomRelations.js'
import type { Column, Encryption, Index, Kind, Model, Schema } from './schema.js'

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
  const storage = dice.weighted<Encryption['storage']>([
    [6, () => 'String'],
    [2, () => 'Bytes'],
    [2, () => 'Json'],
  ])
  const bind = dice.chance(0.2) ? model.id : []
  const indexes = storage === 'Json' ? [] : randomIndexes(dice, name)
  const unique = indexes.some((index) => index.unique)
  const encrypted = { storage, bind, indexes }
  return {
    name,
    kind: storage,
    optional: dice.chance(0.6),
    ...(unique && { unique }),
    ...mapped(dice, name),
    encrypted,
  }
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

/** Compound uniques of a plain column and one that is indexed exactly. */
function addUniques(dice: Dice, model: Model): void {
  const exact = model.columns.filter(({ encrypted }) => encrypted?.indexes[0] && encrypted.indexes[0].bits >= 128)
  const plain = ['tenantId', 'rank'].filter((name) => model.columns.some((column) => column.name === name))
  for (const { name, unique } of exact) {
    if (unique || !dice.chance(0.4)) continue
    const fields = dice.chance(0.7) ? [dice.of(plain), name] : [name, dice.of(plain)]
    model.uniques.push({ fields, ...(dice.chance(0.3) && { name: `login${model.uniques.length}` }) })
  }
}
