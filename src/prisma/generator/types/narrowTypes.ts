import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FieldsealError } from '../../../errors.js'
import { own } from '../../../own.js'
import type { DatamodelEnum } from '../../../schema/datamodel.js'
import type { EncryptionSchema, ModelSchema } from '../../../schema/encryptionSchema.js'
import type { GeneratorBlock } from '../options.js'
import { readIfThere } from '../outputFolder.js'
import { ClientSource, SKIP } from './clientSource.js'
import { filterDeclarations } from './filterTypes.js'
import { narrowModel } from './narrowModel.js'
import { narrowScalarFieldEnums, scalarFieldEnums } from './scalarFieldEnums.js'

export interface NarrowInput {
  readonly schema: EncryptionSchema
  readonly enums: readonly DatamodelEnum[]
}

/** Begins what is added to a client; behind it stands for which schema the types were narrowed. */
const marker = '// Types narrowed by fieldseal-generator, for the encrypted fields of schema '

/**
 * Makes the types of a client that `prisma-client` has just written tell the truth about encrypted fields. Every file
 * is worked out before the first is written, and a client that was narrowed already is left alone.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when the generated client does not look as Prisma 7.10 writes it
 */
export function narrowTypes(client: GeneratorBlock, input: NarrowInput): void {
  const encrypts = Object.values(input.schema.models).some(({ encrypted }) => Object.keys(encrypted).length > 0)
  if (!encrypts) return
  const fileOf = clientFiles(client)
  const common = fileOf('commonInputTypes')
  const text = read(common, client)
  const mark = marker + digestOf(input)
  if (text.includes(mark)) return
  if (text.includes(marker)) throw stale(client)
  const models = Object.entries(input.schema.models).map(([name, model]) => {
    const file = fileOf(`models/${name}`)
    return { name, model, source: new ClientSource(file, read(file, client)) }
  })
  const narrowed = narrowAll(models, input)
  for (const { file, text: changed } of narrowed) writeFileSync(file, changed)
  writeFileSync(common, `${text.trimEnd()}\n\n${mark}\n${filterDeclarations(text.includes(SKIP))}`)
}

interface ModelSource {
  readonly name: string
  readonly model: ModelSchema
  readonly source: ClientSource
}

/** @returns the files that changed */
function narrowAll(models: readonly ModelSource[], { schema, enums }: NarrowInput): ClientSource[] {
  const fieldEnums = scalarFieldEnums(schema)
  return models.flatMap(({ name, model, source }) => {
    const before = source.text
    const enumOf = (field: string) => enumName(enums, own(model.encrypted, field)?.enum)
    if (Object.keys(model.encrypted).length > 0) narrowModel({ name, model, source, enumOf })
    narrowScalarFieldEnums(source, name, fieldEnums)
    return source.text === before ? [] : [source]
  })
}

/** The generated enum with these values; two with the same values are the same type. */
function enumName(enums: readonly DatamodelEnum[], values: readonly string[] | undefined): string | undefined {
  if (values === undefined) return undefined
  const wanted = JSON.stringify(values)
  return enums.find((candidate) => JSON.stringify(candidate.values.map(({ name }) => name)) === wanted)?.name
}

function clientFiles({ output, config }: GeneratorBlock): (name: string) => string {
  const { generatedFileExtension: extension = 'ts' } = config
  return (name) => join(output?.value ?? '', `${name}.${extension}`)
}

function read(file: string, client: GeneratorBlock): string {
  const text = readIfThere(file)
  if (text !== undefined) return text
  throw typesNotNarrowed(
    client,
    `has not written ${file}, whose types are to be narrowed; run \`prisma generate\` for all generators together`,
  )
}

function stale(client: GeneratorBlock): FieldsealError {
  return typesNotNarrowed(
    client,
    'has types that were narrowed for another encryption schema; run `prisma generate` for all generators together',
  )
}

function typesNotNarrowed({ name }: GeneratorBlock, text: string): FieldsealError {
  const instead = 'or set `types = "off"` in the generator block of fieldseal to keep the types that Prisma gives'
  return new FieldsealError('OPTIONS_INVALID', `generator ${name} ${text}, ${instead}`)
}

function digestOf(input: NarrowInput): string {
  return createHash('sha256').update(JSON.stringify(input)).digest('hex').slice(0, 16)
}
