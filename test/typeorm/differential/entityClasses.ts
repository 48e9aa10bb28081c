import {
  BlindIndex,
  blindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encrypted,
  RangeIndex,
  rangeIndex,
  Tenant,
  TextIndex,
  tenant,
  textIndex,
} from 'fieldseal/typeorm'
import {
  ChildEntity,
  Column as ColumnOf,
  type ColumnOptions,
  DeleteDateColumn,
  Entity as EntityOf,
  EntitySchema,
  type EntitySchemaColumnOptions,
  JoinColumn,
  JoinTable,
  ManyToMany,
  ManyToOne,
  OneToMany,
  OneToOne,
  PrimaryColumn,
  type RelationOptions,
  TableInheritance,
  Tree,
  TreeChildren,
  TreeParent,
  VersionColumn,
} from 'typeorm'
import {
  type Column,
  type Entity,
  type Group,
  type Kind,
  LEVELS,
  type Relation,
  type Schema,
  type Tokens,
} from './schema.js'

export type Twin = 'plain' | 'encrypted'
type Class = new () => object
type Classes = ReadonlyMap<string, Class>

const TYPES: { readonly [kind in Kind]: ColumnOptions['type'] & string } = {
  String: 'text',
  Int: 'int',
  BigInt: 'bigint',
  Float: 'double precision',
  Decimal: 'numeric',
  Boolean: 'boolean',
  DateTime: 'timestamptz',
  Enum: 'enum',
  Json: 'jsonb',
  Bytes: 'bytea',
  Uuid: 'uuid',
}

/** The entities of one twin, as a data source takes them. */
export function entityClasses({ entities }: Schema, twin: Twin): (Class | EntitySchema)[] {
  const classes = new Map<string, Class>()
  for (const { name, parent } of entities) classes.set(name, named(name, parent ? classes.get(parent)! : Object))
  const made = entities.map((entity) =>
    entity.declared === 'decorators' ? decorated(entity, twin, classes) : described(entity, twin, classes),
  )
  return twin === 'plain' ? made : [...made, keysClass()]
}

function named(name: string, base: ObjectConstructor | Class): Class {
  return { [name]: class extends (base as Class) {} }[name]!
}

function keysClass(): Class {
  class Keys extends EncryptionKeyColumns {}
  EncryptionKeys()(Keys)
  return Keys
}

/** The columns of one object: those of embedded ones are theirs. */
interface Fields {
  readonly columns: ReadonlyMap<string, Column>
  readonly embedded: ReadonlyMap<string, Fields>
}

function fieldsOf(columns: readonly Column[], depth = 0): Fields {
  const nameOf = ({ path }: Column) => path.split('.')[depth]!
  const isHere = ({ path }: Column) => path.split('.').length === depth + 1
  const inner = columns.filter((column) => !isHere(column))
  return {
    columns: new Map(columns.filter(isHere).map((column) => [nameOf(column), column])),
    embedded: new Map(
      inner.map((column) => [
        nameOf(column),
        fieldsOf(
          inner.filter((one) => nameOf(one) === nameOf(column)),
          depth + 1,
        ),
      ]),
    ),
  }
}

function decorated(entity: Entity, twin: Twin, classes: Classes): Class {
  const target = classes.get(entity.name)!
  const { prototype } = target
  if (!entity.parent) PrimaryColumn({ type: TYPES[entity.id] as 'text' })(prototype, 'id')
  decorateFields(target, fieldsOf(entity.columns), twin)
  for (const group of twin === 'plain' ? [] : entity.groups) BlindIndex([...group.sources])(prototype, group.path)
  if (entity.isSoft) {
    DeleteDateColumn()(prototype, 'deletedAt')
    VersionColumn()(prototype, 'version')
  }
  for (const relation of entity.relations) decorateRelation(prototype, relation, classes)
  if (entity.parent) ChildEntity()(target)
  else EntityOf()(target)
  if (entity.name === 'Person') TableInheritance({ column: { type: 'varchar', name: 'type' } })(target)
  if (entity.tree) decorateTree(target, entity.tree)
  return target
}

function decorateTree(target: Class, type: NonNullable<Entity['tree']>): void {
  const design = (property: string, of: unknown) =>
    (Reflect as unknown as { defineMetadata(...args: unknown[]): void }).defineMetadata(
      'design:type',
      of,
      target.prototype,
      property,
    )
  design('parent', target)
  design('children', Array)
  TreeChildren()(target.prototype, 'children')
  TreeParent()(target.prototype, 'parent')
  if (type !== 'adjacency-list') Tree(type)(target)
}

function decorateFields(target: Class, { columns, embedded }: Fields, twin: Twin): void {
  for (const [name, column] of columns) {
    if (twin === 'plain' || !column.secret) ColumnOf(plainColumn(column, twin))(target.prototype, name)
    else Encrypted(encryptedOptions(column))(target.prototype, name)
    if (column.tenant && twin === 'encrypted') Tenant()(target.prototype, name)
    for (const { path, ...index } of twin === 'plain' ? [] : (column.secret?.indexes ?? []))
      BlindIndex(name, indexOptions(index))(target.prototype, path.split('.').at(-1)!)
    const tokens = twin === 'plain' ? undefined : column.secret?.tokens
    if (tokens) tokenDecorator(name, tokens)(target.prototype, tokens.path.split('.').at(-1)!)
  }
  for (const [name, fields] of embedded) {
    const inner = named(name, Object)
    decorateFields(inner, fields, twin)
    ColumnOf(() => inner)(target.prototype, name)
  }
}

function tokenDecorator(name: string, tokens: Tokens): PropertyDecorator {
  return tokens.kind === 'text' ? TextIndex(name, tokens.options) : RangeIndex(name, tokens.options)
}

function tokenColumn(name: string, tokens: Tokens): EntitySchemaColumnOptions {
  return tokens.kind === 'text' ? textIndex(name, tokens.options) : rangeIndex(name, tokens.options)
}

function plainColumn({ kind, nullable, list, hidden, unique, secret }: Column, twin: Twin): ColumnOptions {
  return {
    type: TYPES[kind],
    nullable,
    ...(kind === 'Enum' && { enum: [...LEVELS] }),
    ...(kind === 'BigInt' && { transformer: AS_BIGINT }),
    ...(list && { array: true }),
    ...(hidden && { select: false }),
    ...(unique && (twin === 'plain' || !secret) && { unique }),
  } as ColumnOptions
}

/** What the driver gives as text. */
const AS_BIGINT = {
  to: (value: unknown) => value,
  from: (value: string | string[] | null) => (Array.isArray(value) ? value.map(BigInt) : value && BigInt(value)),
}

function encryptedOptions({ kind, nullable, list, hidden, secret }: Column): Parameters<typeof encrypted>[0] {
  const { storage, bind, pad, state, as } = secret!
  return {
    ...(kind === 'Enum' ? { enum: LEVELS } : { type: kind as 'String' }),
    column: storage,
    nullable,
    ...(list && { array: true }),
    ...(hidden && { select: false }),
    ...(bind.length > 0 && { bind }),
    ...(pad !== undefined && { pad }),
    ...(state && { state }),
    ...(as && { as }),
  }
}

function indexOptions({
  storage,
  scope,
  bits,
  unique,
}: Omit<NonNullable<Column['secret']>['indexes'][number], 'path'>) {
  return { column: storage, scope, bits, unique }
}

const RELATIONS = {
  'many-to-one': ManyToOne,
  'one-to-many': OneToMany,
  'one-to-one': OneToOne,
  'many-to-many': ManyToMany,
}

function decorateRelation(
  prototype: object,
  { field, kind, entity, inverse, owning, ...rest }: Relation,
  classes: Classes,
) {
  const make = RELATIONS[kind] as (type: () => Class, inverse: string, options: RelationOptions) => PropertyDecorator
  make(() => classes.get(entity)!, inverse, relationOptions(rest))(prototype, field)
  if (!owning) return
  if (kind === 'one-to-one') JoinColumn()(prototype, field)
  if (kind === 'many-to-many') JoinTable()(prototype, field)
}

function relationOptions({ lazy, eager, cascade, onDelete }: Partial<Relation>): RelationOptions {
  return { ...(lazy && { lazy }), ...(eager && { eager }), ...(cascade && { cascade }), ...(onDelete && { onDelete }) }
}

function described(entity: Entity, twin: Twin, classes: Classes): EntitySchema {
  const fields = schemaFields(fieldsOf(entity.columns), twin, entity.name, entity.groups)
  return new EntitySchema({
    name: entity.name,
    target: classes.get(entity.name)!,
    columns: {
      id: { type: TYPES[entity.id] as 'text', primary: true },
      ...fields.columns,
      ...(entity.isSoft && {
        deletedAt: { type: 'timestamp', deleteDate: true, nullable: true },
        version: { type: 'int', version: true },
      }),
    },
    embeddeds: fields.embeddeds,
    relations: Object.fromEntries(entity.relations.map((relation) => [relation.field, relationOf(relation)])),
  } as never)
}

function schemaFields({ columns, embedded }: Fields, twin: Twin, owner: string, groups: readonly Group[] = []) {
  const made: { [name: string]: EntitySchemaColumnOptions } = {}
  for (const [name, column] of columns) {
    made[name] =
      twin === 'plain' || !column.secret ? (plainColumn(column, twin) as never) : encrypted(encryptedOptions(column))
    if (column.tenant && twin === 'encrypted') made[name] = tenant(made[name])
    for (const { path, ...index } of twin === 'plain' ? [] : (column.secret?.indexes ?? []))
      made[path.split('.').at(-1)!] = blindIndex(name, indexOptions(index))
    const tokens = twin === 'plain' ? undefined : column.secret?.tokens
    if (tokens) made[tokens.path.split('.').at(-1)!] = tokenColumn(name, tokens)
  }
  for (const { path, sources } of twin === 'plain' ? [] : groups) made[path] = blindIndex([...sources])
  const embeddeds: { [name: string]: { schema: EntitySchema } } = {}
  for (const [name, inner] of embedded)
    embeddeds[name] = {
      schema: new EntitySchema({ name: `${owner}.${name}`, ...schemaFields(inner, twin, `${owner}.${name}`) } as never),
    }
  return { columns: made, embeddeds }
}

function relationOf({ entity, kind, inverse, owning, ...rest }: Relation) {
  return {
    type: kind,
    target: entity,
    inverseSide: inverse,
    ...(owning && kind === 'many-to-many' && { joinTable: true }),
    ...(owning && kind === 'one-to-one' && { joinColumn: true }),
    ...relationOptions(rest),
  }
}
