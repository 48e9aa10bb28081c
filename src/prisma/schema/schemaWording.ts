import { type DatamodelField, writtenNativeType, writtenType } from '../../schema/datamodel.js'
import type { SchemaWording } from '../../schema/wording.js'
import { keysModelSource } from './keysModelSource.js'

/** How Prisma's users write what the rules speak of. */
export const PRISMA_SCHEMA_WORDING: SchemaWording = {
  model: 'model',
  field: 'field',
  encrypted: '`@encrypted`',
  blindIndex: '`@blindIndex`',
  tokenIndex: { text: '`@textIndex`', range: '`@rangeIndex`' },
  tenant: '`@tenant`',
  encryptionKeys: '`@encryptionKeys`',
  option: (name, value) => `\`${name}: ${value}\``,
  state: (state) => `\`${state}\``,
  as: '`as:`',
  default: '@default',
  updatedAt: '@updatedAt',
  index: '@@index',
  type: writtenType,
  nativeType: (field) => `native type ${writtenNativeType(field)}`,
  nativeNamed: (name) => `@db.${name}`,
  view: {
    encrypted: 'put `@encrypted` on the field of the model behind it',
    index: 'put `@blindIndex` on a column of the model behind it',
    tokens: 'put the index on a column of the model behind it',
  },
  storage: (field) => `make it String${optionalOf(field)} with \`@encrypted(type: ${field.type})\``,
  text: 'make it String',
  listOfJson: 'use one Json field for the whole list',
  enum: 'an enum of the schema',
  unique: 'put `@unique` on a `@blindIndex` column of it instead',
  giveValue: 'give the value in `data`',
  indexType: 'make it String? or Bytes?',
  nullableIndex: ({ type }) => `make it ${type}?`,
  tokenType: 'make it String[] @db.Uuid',
  noNormalize: 'leave out `normalize`',
  tenantType: 'make it a String',
  tenantTypes: '@db.Text, @db.VarChar or @db.Uuid',
  required: 'make it required',
  boundTypes: 'String (@db.Text, @db.VarChar, @db.Uuid or none), Int or BigInt',
  clientDefault: 'use @default(uuid())',
  databaseDefault: (kind) => `@default(${kind}(…))`,
  fixedReference: 'write `onUpdate: Restrict` in the @relation',
  keys: {
    add: (name) => `add \`${keysField(name)}\``,
    make: (name) => `make it \`${keysField(name)}\``,
    use: (native) => `use @db.${native}`,
    id: 'make it `id String @id @db.Uuid`',
    default: (name) => `add \`${/@default\(.*\)/.exec(keysField(name))}\``,
    other: 'make it optional or give it a @default',
    unique: '@@unique([tenant, purpose, version])',
    needed: 'add one marked `@encryptionKeys`',
  },
}

/** `[]`, `?` or nothing, as the type has it. */
function optionalOf(field: DatamodelField): string {
  return /(\[\]|\?)?$/.exec(writtenType({ ...field, nativeType: null }))![0]
}

/** A line of the model to paste. */
function keysField(name: string): string {
  const line = keysModelSource.split('\n').find((candidate) => candidate.trim().startsWith(`${name} `))!
  return line.trim().replace(/\s+/g, ' ')
}
