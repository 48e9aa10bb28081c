import type { EntityMetadata } from 'typeorm'
import { own } from '../../own.js'
import type { ModelSchema } from '../../schema/encryptionSchema.js'
import type { ReportAt } from '../../schema/problem.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'
import { annotationsOf } from './annotation.js'
import { type ColumnMetadata, columnsOf } from './metadata.js'

/** A column of a view that shows one of a table. */
export interface ViewColumn {
  readonly column: ColumnMetadata
  /** `Entity.property` is `model.field`. */
  readonly model: string
  readonly field: string
}

export function viewColumnsOf(view: EntityMetadata): ViewColumn[] {
  return columnsOf(view).flatMap((column) =>
    annotationsOf(column.transformer).flatMap((annotation) => {
      if (annotation.kind !== 'view') return []
      const [model = '', ...path] = String(annotation.of).split('.')
      return [{ column, model, field: path.join('.') }]
    }),
  )
}

/** Reports the columns of a view that show nothing encrypted, and those of a second entity. */
export function checkView(
  view: EntityMetadata,
  models: { readonly [model: string]: ModelSchema },
  reportAt: ReportAt,
): void {
  const columns = viewColumnsOf(view)
  for (const shown of columns) {
    const report = (text: string) => reportAt(`${view.name}.${shown.column.propertyPath}`, text)
    const problem = viewColumnProblem(shown, models)
    if (problem !== undefined) report(problem)
    else if (shown.model !== columns[0]!.model) {
      report(
        `shows ${shown.model} in a view that shows ${columns[0]!.model}; a view may show what is encrypted in one entity`,
      )
    }
  }
}

function viewColumnProblem(
  { column, model, field }: ViewColumn,
  models: { readonly [model: string]: ModelSchema },
): string | undefined {
  const schema = own(models, model)
  if (schema === undefined) {
    return `shows ${model}, which is no entity with a table; ${andThen(didYouMean(model, Object.keys(models)))}write \`@EncryptedView('Entity.property')\``
  }
  if (Object.hasOwn(schema.encrypted, field)) return undefined
  const { tokenIndexes = {} } = schema
  if (Object.hasOwn(schema.indexes, field) || Object.hasOwn(tokenIndexes, field)) {
    if (!column.isSelect) return undefined
    return `shows the index ${model}.${field}, which no result shows; write \`@EncryptedView('${model}.${field}', { select: false })\``
  }
  if (Object.hasOwn(schema.columns, field))
    return `shows ${model}.${field}, which is not encrypted; write \`@ViewColumn()\``
  const names = [schema.encrypted, schema.indexes, tokenIndexes].flatMap(Object.keys)
  const near = didYouMean(field, names)
  return `shows ${model}.${field}, which is no property of ${model}; ${near || 'name an encrypted one, or an index'}`
}
