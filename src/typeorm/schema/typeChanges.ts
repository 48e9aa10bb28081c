import type { DataSource, EntityMetadata } from 'typeorm'
import { quoteName, tableName } from '../../maintenance/postgres/sql.js'
import { type Problem, schemaError } from '../../schema/problem.js'
import { poolOf, runText } from '../keys/pool.js'
import { annotationsOf, isIndex } from './annotation.js'
import { columnField } from './entityModel.js'
import { type ColumnMetadata, columnsOf, rootOf } from './metadata.js'

/**
 * Refuses changes of the type of encrypted columns and blind indexes: TypeORM does not change a column's type, it drops the
 * column and adds another. Of one that is just marked these would be the values that are to be encrypted. For whatever has
 * TypeORM compare entities and tables: `synchronize` and `migration:generate` alike.
 */
export function refuseTypeChanges(dataSource: DataSource): void {
  const { driver } = dataSource
  const create = driver.createSchemaBuilder.bind(driver)
  driver.createSchemaBuilder = () => {
    const builder = create()
    const build = builder.build.bind(builder)
    const log = builder.log.bind(builder)
    return Object.assign(builder, {
      build: () => checkTypes(dataSource).then(build),
      log: () => checkTypes(dataSource).then(log),
    })
  }
}

/** @throws FieldsealError `SCHEMA_INVALID` for columns that would be dropped with their values */
async function checkTypes(dataSource: DataSource): Promise<void> {
  const problems: Problem[] = []
  for (const entity of dataSource.entityMetadatas) {
    if (!entity.synchronize || entity.tableType === 'view' || rootOf(entity) !== entity) continue
    const marked = columnsOf(entity).filter(isMarked)
    if (marked.length > 0) problems.push(...(await typeProblems(dataSource, entity, marked)))
  }
  if (problems.length > 0) throw schemaError('what would become of columns with values', problems, '')
}

async function typeProblems(
  dataSource: DataSource,
  entity: EntityMetadata,
  marked: readonly ColumnMetadata[],
): Promise<Problem[]> {
  const table = tableName({ table: entity.tableName, schema: entity.schema || undefined })
  const problems: Problem[] = []
  const types = await typesIn(dataSource, table)
  for (const column of marked) {
    const [name, wanted, is] = [column.databaseName, columnField(column).written!, types.get(column.databaseName)]
    if (is === undefined || is === wanted || !(await hasValues(dataSource, table, name))) continue
    const what = `is "${name}" of the type ${is} in the database, and ${wanted} here: TypeORM would drop the column with its values and add another`
    problems.push({
      place: `${entity.name}.${column.propertyPath}`,
      text: `${what}; ${remedy(column, table, is, wanted)}`,
    })
  }
  return problems
}

function remedy(column: ColumnMetadata, table: string, is: string, wanted: string): string {
  const name = quoteName(column.databaseName)
  if (annotationsOf(column.transformer).some(isIndex)) {
    return `first drop it in a migration of your own, and run \`fieldseal reindex\` afterwards`
  }
  const alter = `have a migration of your own change the type first: ALTER TABLE ${table} ALTER COLUMN ${name} TYPE ${wanted}`
  const converted = wanted === 'jsonb' ? `to_jsonb(${name})` : `${name}::${wanted}`
  const varchar = is === 'character varying' && wanted === 'text' ? "write `column: 'varchar'`, or " : ''
  return `${varchar}${alter}${wanted === 'bytea' ? '' : ` USING ${converted}`}`
}

function isMarked({ transformer }: ColumnMetadata): boolean {
  return annotationsOf(transformer).some((each) => each.kind === 'encrypted' || isIndex(each))
}

/** The types of a table's columns as TypeORM compares them: with the length of a text, without a precision. */
async function typesIn(dataSource: DataSource, table: string): Promise<ReadonlyMap<string, string>> {
  const rows = await read(
    dataSource,
    `SELECT a.attname, CASE WHEN t.typname IN ('varchar', 'bpchar', '_varchar', '_bpchar')
       THEN format_type(a.atttypid, a.atttypmod) ELSE format_type(a.atttypid, NULL) END
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`,
    [table],
  )
  return new Map(rows.map(([name, type]) => [name!, type!]))
}

/** A column without values may be made anew. */
async function hasValues(dataSource: DataSource, table: string, column: string): Promise<boolean> {
  const rows = await read(dataSource, `SELECT FROM ${table} WHERE ${quoteName(column)} IS NOT NULL LIMIT 1`, [])
  return rows.length > 0
}

async function read(dataSource: DataSource, text: string, values: readonly unknown[]) {
  const pool = poolOf(dataSource)
  return pool === undefined ? [] : (await runText(pool, text, values)).rows
}
