import { readDocumentation } from '../../prisma/schema/documentation.js'
import { findSchema } from '../init/findSchema.js'
import { schemaBlocks } from '../init/schemaText.js'

/** Names of encrypted fields, and of the models that have some. */
export interface SchemaNames {
  readonly models: readonly string[]
  /** As `Model.field`. */
  readonly fields: readonly string[]
}

/** Reads them from the text of the Prisma schema: nothing is loaded, and what is wrong with it is not told here. */
export async function schemaNames(root: string): Promise<SchemaNames> {
  const { files } = await findSchema(root, undefined).catch(() => ({ files: [] }))
  const blocks = files.flatMap(({ text }) => schemaBlocks(text)).filter(({ keyword }) => keyword === 'model')
  const models = blocks.map(({ name, text }) => ({ name, fields: encryptedFields(text) }))
  return {
    models: models.filter(({ fields }) => fields.length > 0).map(({ name }) => name),
    fields: models.flatMap(({ name, fields }) => fields.map((field) => `${name}.${field}`)),
  }
}

const FIELD = /^\s*(\w+)\s+\w/

function encryptedFields(model: string): string[] {
  const inside = model.slice(model.indexOf('{') + 1).split('\n')
  const found: string[] = []
  let above = ''
  for (const line of inside) {
    const [code = '', comment = ''] = line.split(/\/\/(.*)/)
    if (comment.startsWith('/')) above += `${comment.slice(1)}\n`
    const field = FIELD.exec(code)?.[1]
    if (field === undefined) continue
    if (readDocumentation(above).annotations.some(({ name }) => name === 'encrypted')) found.push(field)
    above = ''
  }
  return found
}
