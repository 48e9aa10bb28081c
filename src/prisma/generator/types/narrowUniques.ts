import { own } from '../../../own.js'
import type { ModelSchema } from '../../../schema/encryptionSchema.js'
import type { ClientSource, Declaration } from './clientSource.js'
import { filterType, searchable } from './filterTypes.js'
import type { ModelFile } from './modelFile.js'
import { fieldTypes } from './valueTypes.js'

/** Lets rows be named by encrypted fields whose blind index is unique, alone or together with other columns. */
export function narrowUniques(file: ModelFile): void {
  const { name, model, source } = file
  const where = source.get(`${name}WhereUniqueInput`)
  const names = Object.keys(model.encrypted).filter((field) => searchable(model, field).unique)
  for (const field of names) narrowUnique(file, where, field)
  const aliases = Object.entries(model.uniques).flatMap(([selector, fields]) =>
    narrowCompound(file, where, selector, fields),
  )
  const added = [...names, ...aliases].map((each) => ` | ${JSON.stringify(each)}`).join('')
  source.replaceEnd(where, END, `$1$2${added}>${together(file).join('')}`)
}

/** `}, "id" | "email">`: the names of which at least one must be given. */
const END = /^(\}, )("\w+"(?: \| "\w+")*)>$/

/** A unique index over several fields has no name of its own in a `where`: its fields stand beside each other. */
function together({ name, model, enumOf }: ModelFile): string[] {
  const uniques = Object.entries(model.indexes).filter(
    ([field, { unique, sources }]) => unique && sources.length > 1 && isComplete(model, field),
  )
  return uniques.map(([, { sources }]) => {
    const values = sources.map((field) => `${field}: ${fieldTypes(model.encrypted[field]!, enumOf(field)).value.write}`)
    return ` | (Omit<Prisma.${name}WhereInput, $2> & { ${values.join('; ')} })`
  })
}

/** In a unique `where`, a field that names the row takes nothing but a value. */
function narrowUnique({ model, source, enumOf }: ModelFile, where: Declaration, field: string): void {
  const spec = model.encrypted[field]!
  const { write } = fieldTypes(spec, enumOf(field)).value
  source.retype(where, field, filterType(spec, searchable(model, field), write), write)
}

/** @returns the name that the compound unique now has besides its own */
function narrowCompound(
  file: ModelFile,
  where: Declaration,
  selector: string,
  fields: readonly string[],
): string | undefined | [] {
  const { model, source } = file
  const indexes = fields.filter((field) => Object.hasOwn(model.indexes, field))
  if (indexes.length === 0 || !indexes.every((field) => isComplete(model, field))) return []
  const own = source.properties(where).find(({ name }) => name === selector)?.type
  const declaration = source.get(own?.replace('Prisma.', '') ?? selector)
  const columns = source.properties(declaration)
  const value = `{ ${fields.flatMap((field) => columnsOf(file, columns, field)).join('; ')} }`
  if (selector !== fields.join('_')) {
    source.retype(where, selector, own!, `${own} | ${value}`)
    return []
  }
  const alias = fields.flatMap((field) => sourcesOf(model, field)).join('_')
  if (Object.hasOwn(model.uniques, alias) || Object.hasOwn(model.columns, alias)) return []
  appendAlias(source, where, selector, `${alias}?: ${value}`)
  return alias
}

function appendAlias(source: ClientSource, where: Declaration, selector: string, property: string): void {
  const skip = source.skips(where, selector) ? ' | runtime.Types.Skip' : ''
  source.append(where, selector, `\n  ${property}${skip}`)
}

function columnsOf(
  { model, enumOf }: ModelFile,
  columns: readonly { readonly name: string; readonly type: string }[],
  field: string,
): string[] {
  if (!Object.hasOwn(model.indexes, field)) {
    const type = columns.find(({ name }) => name === field)?.type
    // Prisma leaves out a column whose name every object has.
    return type === undefined ? [] : [`${field}: ${type}`]
  }
  return sourcesOf(model, field).map((name) => {
    const { write } = fieldTypes(model.encrypted[name]!, enumOf(name)).value
    return `${name}: ${write}`
  })
}

function sourcesOf(model: ModelSchema, field: string): readonly string[] {
  return own(model.indexes, field)?.sources ?? [field]
}

/** Whether every row has the blind index. */
function isComplete({ indexes, encrypted }: ModelSchema, field: string): boolean {
  return own(indexes, field)?.sources.every((name) => encrypted[name]?.state === undefined) ?? false
}
