import { DataSource, type EntityMetadata } from 'typeorm'
import { buildEncryptionSchema, checkAnnotated } from '../../schema/buildEncryptionSchema.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { type Problem, type ReportAt, schemaError } from '../../schema/problem.js'
import type { SchemaFacts } from '../../schema/schemaFacts.js'
import { type AnnotatedEntity, annotatedEntity } from './annotatedEntity.js'
import { checkColumns } from './columnRules.js'
import { checkDeclarations } from './declarationRules.js'
import { datamodelOf, entityModel } from './entityModel.js'
import { entityTables } from './entityTable.js'
import { checkExpressions } from './expressionRules.js'
import { TYPEORM_SCHEMA_WORDING } from './schemaWording.js'
import { checkTwins } from './twinRules.js'
import { checkView } from './viewColumns.js'

/**
 * Makes of the metadata of a data source's entities what the library needs at run time. PostgreSQL's parser must have been
 * loaded.
 *
 * @returns a model for each table, under the name of its entity; `keysModel` is empty when nothing is encrypted and nothing
 * stores keys
 * @throws FieldsealError `SCHEMA_INVALID` listing everything that is wrong, a line each, by entity and property
 */
export function encryptionSchemaOf(dataSource: DataSource): EncryptionSchema {
  const problems: Problem[] = []
  const reportAt: ReportAt = (place, text) => problems.push({ place, text })
  const refuse = (footer = '') => {
    if (problems.length > 0) throw schemaError('the entities of the data source', problems, footer)
  }
  checkDataSource(dataSource, reportAt)
  refuse()
  const facts = factsOf(dataSource.entityMetadatas, reportAt)
  const needsKeysEntity = checkAnnotated(facts, reportAt)
  refuse(needsKeysEntity ? PASTE_KEYS_ENTITY : '')
  const schema = buildEncryptionSchema({ ...facts, annotated: facts.tables })
  for (const view of viewsOf(dataSource.entityMetadatas)) checkView(view, schema.models, reportAt)
  refuse()
  return schema
}

interface EntityFacts extends SchemaFacts {
  /** The entities that stand for tables. */
  readonly tables: readonly AnnotatedEntity[]
}

function factsOf(entities: readonly EntityMetadata[], reportAt: ReportAt): EntityFacts {
  for (const entity of entities) checkDeclarations(entity, reportAt)
  const tables = entityTables(entities).map(({ entity, others }) => {
    const [first, ...twins] = [entity, ...others].map((each) => annotated(each, reportAt))
    checkTwins(first!, twins, reportAt)
    checkExpressions(entity, others, reportAt)
    return first!
  })
  const views = viewsOf(entities).map((view) => annotated(view, reportAt))
  const known = related(withoutNamesakes(tables, reportAt))
  const all = [...known, ...views]
  const enums = all.flatMap((entity) => entity.enums)
  return {
    tables: known,
    annotated: all,
    wording: TYPEORM_SCHEMA_WORDING,
    views: new Set(views.map(({ model }) => model.name)),
    datamodel: datamodelOf(
      all.map(({ model }) => model),
      enums,
    ),
  }
}

function annotated(entity: EntityMetadata, reportAt: ReportAt): AnnotatedEntity {
  const model = entityModel(entity)
  checkColumns(model, reportAt)
  const made = annotatedEntity(model)
  checkTenantIsPlain(made, reportAt)
  return made
}

/** Two decorators on one property, which in a Prisma schema exclude each other. */
function checkTenantIsPlain(
  { model, tenants, encrypted, indexes, tokenIndexes }: AnnotatedEntity,
  reportAt: ReportAt,
): void {
  const marked = [...encrypted, ...indexes, ...tokenIndexes].find(({ field }) => tenants.includes(field))
  if (marked === undefined) return
  const why = 'whose a row is must be known before it can be decrypted'
  reportAt(`${model.name}.${marked.field.name}`, `holds the tenant and is encrypted or an index; keep it plain: ${why}`)
}

/** Models are known by their names alone, so of two with one name only one can have anything encrypted. */
function withoutNamesakes(tables: readonly AnnotatedEntity[], reportAt: ReportAt): AnnotatedEntity[] {
  const byName = new Map<string, AnnotatedEntity>()
  for (const table of tables) {
    const { name } = table.model
    const namesake = byName.get(name)
    if (namesake !== undefined && isMarked(namesake) && isMarked(table)) {
      reportAt(name, 'is the name of two entities with encrypted columns, whose contexts would be the same; rename one')
    }
    if (namesake === undefined || !isMarked(namesake)) byName.set(name, table)
  }
  return [...byName.values()]
}

/** Without relations to views, of which there are no models. */
function related(tables: readonly AnnotatedEntity[]): AnnotatedEntity[] {
  const names = new Set(tables.map(({ model }) => model.name))
  return tables.map((table) => {
    const fields = table.model.fields.filter(({ kind, type }) => kind !== 'object' || names.has(type))
    return { ...table, model: { ...table.model, fields } }
  })
}

function isMarked({ encrypted, indexes, tokenIndexes, isKeys }: AnnotatedEntity): boolean {
  return isKeys || encrypted.length + indexes.length + tokenIndexes.length > 0
}

function viewsOf(entities: readonly EntityMetadata[]): EntityMetadata[] {
  return entities.filter(({ tableType }) => tableType === 'view')
}

function checkDataSource(dataSource: DataSource, reportAt: ReportAt): void {
  const { type } = dataSource.options
  if (type !== 'postgres') {
    reportAt('data source', `has the type "${type}"; this version of fieldseal works with "postgres" only`)
  }
  if (!(dataSource instanceof DataSource)) {
    reportAt(
      'data source',
      'is of another copy of typeorm than the one that fieldseal/typeorm imports; have one in node_modules (`npm ls typeorm`)',
    )
  }
}

const PASTE_KEYS_ENTITY = `The entity that stores the keys:

import { EncryptionKeyColumns, EncryptionKeys } from 'fieldseal/typeorm'

@EncryptionKeys()
export class EncryptionKey extends EncryptionKeyColumns {}`
