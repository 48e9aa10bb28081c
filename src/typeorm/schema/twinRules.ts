import { canonicalJson } from '../../crypto/canonicalJson.js'
import { contextOf } from '../../schema/encryptedRules.js'
import type { ReportAt } from '../../schema/problem.js'
import type { AnnotatedEntity } from './annotatedEntity.js'

/** What an entity says of a column that it marks. */
interface Mark {
  readonly place: string
  /** Equal for columns that are encrypted, or indexed, in the same way. */
  readonly sign: string
}

/**
 * Reports where entities of one table, or properties of one column, disagree about what is encrypted in it: what one of
 * them writes the other could not read, or it would write plaintext.
 *
 * @param first the entity that stands for the table
 */
export function checkTwins(first: AnnotatedEntity, others: readonly AnnotatedEntity[], reportAt: ReportAt): void {
  const marks = marksOf(first)
  for (const entity of [first, ...others]) {
    const own = marksOf(entity)
    for (const { name, dbName, column } of entity.model.fields) {
      if (column === undefined) continue
      const place = `${entity.model.name}.${name}`
      const [mark, here] = [marks.get(dbName!), own.get(dbName!)]
      const isSame = mark?.sign === here?.sign && (here === undefined || here.place === place)
      if (!isSame) reportAt(place, disagreement(mark ?? here!, place, first.model.name, dbName!))
    }
    if (entity === first || marks.size === 0) continue
    checkTenant(first, entity, reportAt)
    checkKeys(first, entity, reportAt)
  }
}

function disagreement(mark: Mark, place: string, entity: string, column: string): string {
  if (mark.place === place) {
    return `is the column "${column}", which ${entity}, another entity of the same table, does not mark; mark it there as well`
  }
  return (
    `is the column "${column}", which ${mark.place} marks in another way; mark both alike, with the same context in \`as\`, ` +
    'or leave one of them out'
  )
}

function checkTenant(first: AnnotatedEntity, other: AnnotatedEntity, reportAt: ReportAt): void {
  const [column, own] = [first, other].map(({ tenants }) => tenants[0]?.dbName)
  if (own === undefined || own === column) return
  reportAt(
    `${other.model.name}.${other.tenants[0]!.name}`,
    `holds the tenant, which ${first.model.name}, another entity of the same table, does not say; mark it there as well`,
  )
}

/** What the rules of schemas look at in the entity that stands for the table. */
function checkKeys(first: AnnotatedEntity, { model }: AnnotatedEntity, reportAt: ReportAt): void {
  const { primaryColumns, uniques, indices, foreignKeys } = model.entity
  const encrypted = new Set(first.encrypted.map(({ field }) => field.dbName))
  const keys = [...primaryColumns, ...[...uniques, ...indices, ...foreignKeys].flatMap(({ columns }) => columns)]
  for (const { databaseName, propertyPath } of new Set(keys)) {
    if (!encrypted.has(databaseName)) continue
    const what = `is in a key or an index of ${model.name}, and equal values have different ciphertexts; use a \`@BlindIndex\` of it instead`
    reportAt(`${model.name}.${propertyPath}`, what)
  }
}

/** By the columns' names in the database; of two properties of one column, the first that is marked. */
function marksOf(entity: AnnotatedEntity): Map<string, Mark> {
  const { model, encrypted, indexes, tokenIndexes, enums } = entity
  const names = (paths: readonly string[]) =>
    paths.map((path) => model.fields.find(({ name }) => name === path)?.dbName)
  const values = (type: string | undefined) => enums.find(({ name }) => name === type)?.values ?? type
  const marks = [
    ...encrypted.map((each) => {
      const { field, options } = each
      const { bind, type, as: _, ...rest } = options
      const own = { ...rest, list: field.isList, type: values(type), context: contextOf(entity, each) }
      return { field, sign: { ...own, bind: names(bind) } }
    }),
    ...indexes.map(({ field, options }) => ({ field, sign: { ...options, sources: names(options.sources) } })),
    ...tokenIndexes.map(({ field, options }) => {
      return { field, sign: { ...options, source: names([options.source ?? '']) } }
    }),
  ]
  return new Map(
    marks.toReversed().map(({ field, sign }) => {
      return [field.dbName!, { place: `${model.name}.${field.name}`, sign: canonicalJson(sign) }]
    }),
  )
}
