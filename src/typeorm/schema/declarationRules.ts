import { isDeepStrictEqual } from 'node:util'
import { type EntityMetadata, getMetadataArgsStorage } from 'typeorm'
import { applyRules, type ReportAt, type Rule } from '../../schema/problem.js'
import { type Annotation, annotationsOf } from './annotation.js'
import { columnsDeclaredIn, type DeclaredColumn, lineage, tenantsOf } from './declarations.js'
import { type ColumnMetadata, columnsOf } from './metadata.js'
import { type Owner, ownersOf } from './owners.js'
import { marksOf, writtenColumns } from './writtenColumns.js'

interface DeclarationSubject extends DeclaredColumn {
  readonly owner: object
  readonly property: string
  /** What the column says of itself, which TypeORM has made of it. */
  readonly made: readonly Annotation[]
}

const DECORATORS = {
  encrypted: '@Encrypted',
  index: '@BlindIndex',
  textIndex: '@TextIndex',
  rangeIndex: '@RangeIndex',
  view: '@EncryptedView',
  tenant: '@Tenant',
  keys: '@EncryptionKeys',
} as const satisfies Record<Annotation['kind'], string>

/**
 * TypeORM makes a column of the first declaration of a property that it finds, and forgets the others. One of ours among
 * those would leave the column in plaintext.
 */
const declarationRules: readonly Rule<DeclarationSubject>[] = [
  ({ annotation, made, owner, property }) => {
    const decorator = DECORATORS[annotation.kind]
    if (columnDecorators(owner, property) > 1)
      return `has another decorator of columns beside \`${decorator}\`; keep one`
    if (made.length === 1 && isDeepStrictEqual(made[0], annotation)) return undefined
    return `is declared twice, and TypeORM does not go by its \`${decorator}\`; declare it alike, or in one class only`
  },
  ({ annotation, designType }) => {
    if (annotation.kind !== 'encrypted' || typeof designType !== 'function') return undefined
    const { type, enum: values, column = 'text' } = annotation.options
    const advice = TYPES[designType.name]
    const isText = column === 'text' || column === 'varchar'
    if (type !== undefined || values !== undefined || !isText || advice === undefined) return undefined
    return `is a ${designType.name} and holds text unless told; write ${advice}`
  },
]

/** By the name of the class that TypeScript emits for a property's type. */
const TYPES: { readonly [name: string]: string | undefined } = {
  Number: "`type: 'Int'` or `type: 'Float'`",
  BigInt: "`type: 'BigInt'`",
  Boolean: "`type: 'Boolean'`",
  Date: "`type: 'DateTime'`",
  Buffer: "`column: 'bytea'` or `type: 'Bytes'`",
  Uint8Array: "`column: 'bytea'` or `type: 'Bytes'`",
}

/** Reports the declarations of columns that TypeORM does not go by, where they or those that it goes by are of ours. */
export function checkDeclarations(entity: EntityMetadata, reportAt: ReportAt): void {
  const columns = new Map(columnsOf(entity).map((column) => [column.propertyPath, column]))
  for (const { owner, prefix } of ownersOf(entity)) {
    for (const [property, declared] of declaredIn(owner)) {
      const made = annotationsOf(columns.get(prefix + property)?.transformer)
      const subject = { ...declared, property, made }
      applyRules(declarationRules, subject, `${entity.name}.${prefix}${property}`, reportAt)
    }
  }
  checkOverruled(entity, columns, reportAt)
  for (const owner of ownersOf(entity)) checkTenants(entity, owner, reportAt)
}

/** What has no decorator of ours, where TypeORM goes by what another class says of the property, and either encrypts it. */
function checkOverruled(
  entity: EntityMetadata,
  columns: ReadonlyMap<string, ColumnMetadata>,
  reportAt: ReportAt,
): void {
  const embedded = entity.allEmbeddeds.map(({ type, propertyPath }) => ({ owner: type, prefix: `${propertyPath}.` }))
  for (const { owner, prefix } of [{ owner: entity.target, prefix: '' }, ...embedded]) {
    for (const [property, said] of writtenColumns(owner, entity)) {
      const made = marksOf(columns.get(prefix + property)?.transformer)
      if (said.isDeclared || isDeepStrictEqual(said.marks, made)) continue
      const { kind } = (made[0] ?? said.marks[0])!
      const what = `is declared twice, with \`${DECORATORS[kind]}\` by one of two, and TypeORM goes by one of them`
      reportAt(`${entity.name}.${prefix}${property}`, `${what}; declare it alike, or under different names`)
    }
  }
}

/** A class's declarations and those of the classes that it extends, as far as it has none of its own. */
function declaredIn(owner: object): Map<string, DeclaredColumn & { readonly owner: object }> {
  const declared = new Map<string, DeclaredColumn & { readonly owner: object }>()
  for (const each of lineage(owner)) {
    for (const [property, column] of columnsDeclaredIn(each)) {
      if (!declared.has(property)) declared.set(property, { ...column, owner: each })
    }
  }
  return declared
}

function columnDecorators(owner: object, property: string): number {
  const { columns } = getMetadataArgsStorage()
  return columns.filter(({ target, propertyName }) => target === owner && propertyName === property).length
}

function checkTenants(
  { name, columns, relations }: EntityMetadata,
  { owner, prefix }: Owner,
  reportAt: ReportAt,
): void {
  const paths = new Set([...columns, ...relations].map(({ propertyPath }) => propertyPath))
  for (const property of tenantsOf(owner)) {
    const path = prefix + property
    if (!paths.has(path))
      reportAt(`${name}.${path}`, 'is marked `@Tenant` and is no column; write `@Column()` beside it')
  }
}
