import type { SchemaWording } from '../../schema/wording.js'

const FROM_COLUMNS = 'take it from `EncryptionKeyColumns`, or from `encryptionKeys()`, as it is'

/** How TypeORM's users write what the rules speak of. */
export const TYPEORM_SCHEMA_WORDING: SchemaWording = {
  model: 'entity',
  field: 'property',
  encrypted: '`@Encrypted`',
  blindIndex: '`@BlindIndex`',
  tokenIndex: { text: '`@TextIndex`', range: '`@RangeIndex`' },
  tenant: '`@Tenant`',
  encryptionKeys: '`@EncryptionKeys`',
  option: (name, value) => `\`${name}: ${typeof value === 'string' ? `'${value}'` : value}\``,
  state: (state) => `\`state: '${state}'\``,
  as: '`as`',
  default: '`default`',
  updatedAt: '@UpdateDateColumn or @VersionColumn',
  index: '`@Index`',
  type: ({ written, isRequired }) => `${written}${isRequired ? '' : ', nullable'}`,
  nativeType: ({ written }) => `type ${written}`,
  nativeNamed: (name) => NATIVES[name] ?? name.replace('VarChar', 'varchar'),
  view: {
    encrypted: "write `@EncryptedView('Entity.property')`, with the encrypted property that it shows",
    index: "write `@EncryptedView('Entity.property', { select: false })`, with the blind index that it shows",
    tokens: "write `@EncryptedView('Entity.property', { select: false })`, with the index that it shows",
  },
  storage: ({ type }) =>
    `leave the column's type to fieldseal (\`column\` is text, varchar, bytea or jsonb), and say what it holds: \`type: '${type}'\``,
  text: "write `column: 'text'`",
  listOfJson: 'leave out `array`: a jsonb column holds the whole list',
  enum: 'give the values of an enum in `enum`',
  unique: 'write `unique: true` for a `@BlindIndex` of it instead',
  giveValue: 'give the value in the entity',
  indexType: "leave its type to fieldseal (`column` is 'text' or 'bytea')",
  nullableIndex: () => 'leave `nullable` to fieldseal',
  tokenType: 'leave its type to fieldseal',
  noNormalize: 'leave out `normalize`',
  tenantType: 'make it text, varchar or uuid',
  tenantTypes: 'text, varchar or uuid',
  required: 'leave out `nullable`',
  boundTypes: 'text, varchar, uuid, integer or bigint',
  clientDefault: "write `@PrimaryColumn('uuid') id: string = randomUUID()`",
  databaseDefault: () => '@PrimaryGeneratedColumn, @Generated or a `default` in SQL',
  fixedReference: "write `onUpdate: 'RESTRICT'` in the options of the relation",
  keys: {
    add: () => FROM_COLUMNS,
    make: () => FROM_COLUMNS,
    use: () => FROM_COLUMNS,
    id: FROM_COLUMNS,
    default: () => FROM_COLUMNS,
    other: 'make it nullable or give it a `default`',
    unique: "`@Index(['tenant', 'purpose', 'version'], { unique: true })`",
    needed: 'add one marked `@EncryptionKeys`',
  },
}

/** PostgreSQL's names of types. */
const NATIVES: { readonly [name: string]: string | undefined } = {
  Text: 'text',
  ByteA: 'bytea',
  JsonB: 'jsonb',
  Uuid: 'uuid',
}
