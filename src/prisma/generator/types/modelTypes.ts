import type { Declaration } from './clientSource.js'
import { capitalized, type ModelFile } from './modelFile.js'

/** The filters on the model. Those of lists are there only where a relation reaches it. */
export function wheres({ name, source }: ModelFile): Declaration[] {
  const required = [source.get(`${name}WhereInput`), source.get(`${name}WhereUniqueInput`)]
  const nested = source.find(`${name}ScalarWhereInput`)
  return nested === undefined ? required : [...required, nested]
}

/** What new rows are made from, at the top and through each relation. */
export function creates(file: ModelFile): Declaration[] {
  const { name } = file
  const nested = (relation: string) => [
    `${name}CreateWithout${relation}Input`,
    `${name}UncheckedCreateWithout${relation}Input`,
    `${name}CreateMany${relation}Input`,
  ]
  return inputs(file, [`${name}CreateInput`, `${name}UncheckedCreateInput`, `${name}CreateManyInput`], nested)
}

/** What rows are changed by, at the top and through each relation. */
export function updates(file: ModelFile): Declaration[] {
  const { name } = file
  const top = ['UpdateInput', 'UncheckedUpdateInput', 'UpdateManyMutationInput', 'UncheckedUpdateManyInput']
  const nested = (relation: string) => [
    `${name}UpdateWithout${relation}Input`,
    `${name}UncheckedUpdateWithout${relation}Input`,
    `${name}UncheckedUpdateManyWithout${relation}Input`,
  ]
  const required = top.map((kind) => name + kind)
  return inputs(file, required, nested)
}

/** Those for every relation are there only as far as something can be written through it. */
function inputs(
  { source, model }: ModelFile,
  required: readonly string[],
  nested: (relation: string) => readonly string[],
): Declaration[] {
  const names = Object.keys(model.relations).flatMap((relation) => nested(capitalized(relation)))
  return [...required.map((name) => source.get(name)), ...names.flatMap((name) => source.find(name) ?? [])]
}

/** What sorts rows (`WithRelation`) or groups (`WithAggregation`). */
export function orderBy({ name, source }: ModelFile, kind: string): Declaration {
  return source.find(`${name}OrderBy${kind}AndSearchRelevanceInput`) ?? source.get(`${name}OrderBy${kind}Input`)
}
