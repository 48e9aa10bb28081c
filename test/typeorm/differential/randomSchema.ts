import type { RangeIndexOptions } from 'fieldseal/typeorm'
import type { Dice } from '../../differential/dice.js'
import type { Column, Entity, Index, Kind, Relation, Schema, Secret, Tokens, TreeType } from './schema.js'

/** The same names mean different things in different entities, and some are words of SQL. */
const ENTITIES = ['User', 'Order', 'Post']
const COLUMNS = ['name', 'email', 'value', 'order', 'fromDate', 'n', 'box.name', 'box.value', 'box.inner.n']
const KINDS: readonly (readonly [weight: number, kind: Kind])[] = [
  [5, 'String'],
  [3, 'Int'],
  [1, 'BigInt'],
  [1, 'Float'],
  [1, 'Decimal'],
  [1, 'Boolean'],
  [2, 'DateTime'],
  [1, 'Enum'],
  [2, 'Json'],
  [1, 'Bytes'],
]
/** Their values are not all of one length. */
const UNEVEN: ReadonlySet<Kind> = new Set<Kind>(['String', 'Bytes', 'Json', 'Decimal', 'Enum'])
const TREES: readonly TreeType[] = ['closure-table', 'materialized-path', 'nested-set', 'adjacency-list']

/** A few entities; with a tree, and with children in one table, where the dice say so. */
export function randomSchema(dice: Dice): Schema {
  const declared = dice.of(['decorators', 'decorators', 'EntitySchema'] as const)
  // TypeORM relates entities of one way of declaring them alone.
  const plain = ENTITIES.slice(0, dice.int(2, 3)).map((name) => ({ ...randomEntity(dice, name), declared }))
  const entities = [...plain]
  for (const [position, entity] of plain.entries()) {
    for (const to of dice.list(position === 0 ? 0 : 1, 2, () => dice.of(plain.slice(0, position + 1))))
      relate(dice, entity, to, entities)
  }
  if (dice.chance(0.6)) entities.push(...family(dice))
  if (dice.chance(0.6)) entities.push(tree(dice))
  return { entities }
}

function randomEntity(dice: Dice, name: string): Entity {
  const id = dice.of(['Int', 'Int', 'String', 'Uuid'] as const)
  const columns = dice.shuffled(COLUMNS).slice(0, dice.int(3, 6))
  const n: Column = { path: 'plain', kind: 'Int', nullable: true }
  const tenant: Column[] = dice.chance(0.3) ? [{ path: 'tenantId', kind: 'String', nullable: false, tenant: true }] : []
  const made = columns.map((path) => randomColumn(dice, path))
  return {
    name,
    id,
    declared: 'decorators',
    isSoft: dice.chance(0.4),
    columns: [n, ...tenant, ...made],
    relations: [],
    groups: groupsAmong(dice, made),
  }
}

function randomColumn(dice: Dice, path: string): Column {
  const kind = dice.weighted(KINDS.map(([weight, each]) => [weight, () => each] as const))
  // TypeORM fails to compare lists of moments that were not read.
  const list = kind !== 'DateTime' && kind !== 'Json' && kind !== 'Decimal' && kind !== 'Enum' && dice.chance(0.12)
  const column = {
    path,
    kind,
    nullable: dice.chance(0.7),
    ...(list && { list }),
    ...(dice.chance(0.1) && { hidden: true }),
  }
  if (dice.chance(0.25)) return column
  const secret = inState(dice, column, randomSecret(dice, column))
  const unique = secret.indexes.some((index) => index.unique)
  return { ...column, secret, ...(unique && { unique }) }
}

function randomSecret(dice: Dice, { path, kind, list }: Pick<Column, 'path' | 'kind' | 'list'>): Secret {
  const storages =
    kind === 'Json' && !list ? (['text', 'bytea', 'jsonb'] as const) : (['text', 'text', 'bytea'] as const)
  const indexed = !list && kind !== 'Json'
  return {
    storage: dice.of(storages),
    bind: dice.chance(0.2) ? ['id'] : [],
    ...(dice.chance(0.1) && { as: `Former.${path.replaceAll('.', '')}${dice.int(0, 2 ** 30)}` }),
    ...((list || UNEVEN.has(kind)) && dice.chance(0.2) && { pad: 32 }),
    indexes: indexed
      ? dice.weighted([
          [3, () => [randomIndex(dice, `${path}Index`)]],
          [2, () => []],
        ])
      : [],
    ...(!list && dice.chance(0.6) && tokensOf(dice, kind, `${path}TokensIndex`)),
  }
}

/** For a column whose values have an order, or parts. */
function tokensOf(dice: Dice, kind: Kind, path: string): { readonly tokens: Tokens } | undefined {
  const scope = dice.of(['tenant', 'tenant', 'global'] as const)
  const range = (fine: RangeIndexOptions, coarse: RangeIndexOptions, isFine = dice.chance(0.6)): { tokens: Tokens } => {
    const options = { ...(isFine ? fine : coarse), scope, sparsity: dice.int(1, 4) }
    return { tokens: { kind: 'range', path, options, isFine } }
  }
  switch (kind) {
    case 'String': {
      const grams = dice.chance(0.3) ? { grams: 2 } : {}
      return {
        tokens: { kind: 'text', path, options: { prefix: [1, dice.int(1, 3)], suffix: [1, 2], scope, ...grams } },
      }
    }
    case 'Int':
      return range({ min: -10, max: 2 ** 31 - 1 }, { min: -10, max: 2 ** 31 - 1, step: 3 })
    case 'BigInt':
      return range({ min: 0, max: 1 }, { min: '-20', max: '10000000000000000', step: 10_000_000n }, false)
    case 'Decimal':
      return range({ min: 0, max: 1 }, { min: '-10000', max: '13000000000000', step: '10000', scale: 4 }, false)
    case 'DateTime':
      return range(
        { min: 0, max: 1 },
        { min: '1800-01-01', max: '2100-01-01', step: dice.of(['1d', '12h', '1h']) },
        false,
      )
    default:
      return undefined
  }
}

/** Of which one value has one form as plaintext. */
const MIGRATING: ReadonlySet<Kind> = new Set<Kind>(['String', 'Int', 'BigInt', 'Boolean', 'Enum', 'Json'])
/** What begins as a ciphertext does cannot be written as plaintext: texts may. */
const EJECTING: ReadonlySet<Kind> = new Set<Kind>(['Int', 'BigInt', 'Boolean', 'Enum'])

/** A column under way, now and then; a unique index would not see its rows in plaintext. */
function inState(dice: Dice, { kind, list }: Pick<Column, 'kind' | 'list'>, secret: Secret): Secret {
  if (secret.storage !== 'text' || list || secret.indexes.some(({ unique }) => unique)) return secret
  const states = [
    ...(MIGRATING.has(kind) ? ['migrating' as const] : []),
    ...(EJECTING.has(kind) ? ['ejecting' as const] : []),
  ]
  return states.length > 0 && dice.chance(0.35) ? { ...secret, state: dice.of(states) } : secret
}

function randomIndex(dice: Dice, path: string): Index {
  const bits = dice.of([128, 128, 128, 128, 256, 8])
  return {
    path,
    storage: dice.of(['text', 'text', 'bytea']),
    scope: dice.of(['tenant', 'tenant', 'global']),
    bits,
    unique: bits >= 128 && dice.chance(0.25),
  }
}

function groupsAmong(dice: Dice, columns: readonly Column[]): Entity['groups'] {
  const candidates = columns.filter(
    ({ path, secret, kind, list }) => secret && !path.includes('.') && kind !== 'Json' && !list,
  )
  if (candidates.length < 2 || !dice.chance(0.5)) return []
  return [
    {
      path: 'togetherIndex',
      sources: dice
        .shuffled(candidates)
        .slice(0, 2)
        .map(({ path }) => path),
    },
  ]
}

function relate(dice: Dice, from: Entity, to: Entity, all: readonly Entity[]): void {
  const field = `to${to.name}${from.relations.length}`
  const inverse = `of${from.name}${to.relations.length + (from === to ? 1 : 0)}`
  const kind = dice.of(['many-to-one', 'many-to-one', 'one-to-one', 'many-to-many'] as const)
  const isBackwards = all.indexOf(to) < all.indexOf(from)
  const both = { ...(dice.chance(0.4) && { cascade: true }) }
  from.relations.push({
    field,
    kind,
    entity: to.name,
    inverse,
    owning: true,
    ...(dice.chance(0.2) ? { lazy: true } : isBackwards && dice.chance(0.25) && { eager: true }),
    ...both,
    ...(kind !== 'many-to-many' && dice.chance(0.6) && { onDelete: dice.of(['CASCADE', 'SET NULL'] as const) }),
  })
  to.relations.push({
    field: inverse,
    kind: kind === 'many-to-one' ? 'one-to-many' : kind,
    entity: from.name,
    inverse: field,
    owning: false,
    ...(dice.chance(0.2) && { lazy: true }),
    // TypeORM takes no cascades in both directions.
    ...(!both.cascade && dice.chance(0.5) && { cascade: true }),
  } satisfies Relation)
}

/** Entities of one table. */
function family(dice: Dice): Entity[] {
  const root = randomEntity(dice, 'Person')
  const child = (name: string, path: string): Entity => ({
    name,
    id: root.id,
    declared: 'decorators',
    parent: root.name,
    isSoft: false,
    columns: [{ ...randomColumn(dice, path), nullable: true }],
    relations: [],
    groups: [],
  })
  return [root, child('Doctor', 'licence'), child('Patient', 'ward')]
}

function tree(dice: Dice): Entity {
  const entity = randomEntity(dice, 'Folder')
  return { ...entity, id: 'Int', isSoft: false, tree: dice.of(TREES) }
}
