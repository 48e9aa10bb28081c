import type { Dice } from './dice.js'
import { type Column, columnOf, type Model, type Relation } from './schema.js'

/** Relations of all kinds; required ones only to earlier models, so that rows can be made in order. */
export function addRelations(dice: Dice, models: readonly Model[]): void {
  const count = models.length + dice.int(0, 2)
  for (let position = 0; position < count; position++) {
    const child = models[position % models.length]!
    const parent = dice.chance(0.2) || child === models[0] ? child : models[dice.int(0, models.indexOf(child) - 1)]!
    const links = child.id.length === 1 && parent.id.length === 1
    dice.weighted([
      [5, () => addForeignKey(dice, { child, parent, position, one: false })],
      [3, () => addForeignKey(dice, { child, parent, position, one: true })],
      [links ? 3 : 0, () => addLinks(child, parent, position)],
    ])
  }
}

interface Ends {
  readonly child: Model
  readonly parent: Model
  readonly position: number
  readonly one: boolean
}

function addForeignKey(dice: Dice, { child, parent, position, one }: Ends): void {
  const name = `R${position}`
  const optional = child === parent || dice.chance(0.5)
  const [field, inverse] = [`to${position}`, `from${position}`]
  const from = parent.id.map((key) => `${field}${key}`)
  parent.id.forEach((key, index) => {
    const { kind } = columnOf(parent, key)!
    const unique = one && parent.id.length === 1
    child.columns.push({
      name: from[index]!,
      kind,
      optional,
      foreign: true,
      ...(unique && { unique }),
    } satisfies Column)
  })
  if (one && from.length > 1) child.uniques.push({ fields: from })
  const through = one ? 'one' : 'many'
  const onDelete = dice.weighted<Relation['onDelete']>([
    [3, () => 'Cascade'],
    [2, () => undefined],
    [1, () => (optional ? 'SetNull' : 'Restrict')],
  ])
  child.relations.push({
    ...{ field, name, model: parent.name, list: false, optional, from, to: parent.id, inverse, through },
    ...(onDelete && { onDelete }),
  })
  parent.relations.push({
    ...{
      field: inverse,
      name,
      model: child.name,
      list: !one,
      optional: true,
      from: [],
      to: [],
      inverse: field,
      through,
    },
  })
}

function addLinks(left: Model, right: Model, position: number): void {
  const [near, far] = [`links${position}`, `linked${position}`]
  const common = { name: `R${position}`, list: true, optional: true, from: [], to: [], through: 'links' } as const
  left.relations.push({ ...common, field: near, model: right.name, inverse: far })
  right.relations.push({ ...common, field: far, model: left.name, inverse: near })
}
