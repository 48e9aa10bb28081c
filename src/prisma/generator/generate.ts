import { isAbsolute, relative } from 'node:path'
import { FieldsealError } from '../../errors.js'
import type { Datamodel } from '../../schema/datamodel.js'
import { encryptionSchemaOf } from '../schema/encryptionSchemaOf.js'
import { requireClientBefore } from './generatorOrder.js'
import { renderGuards } from './guards.js'
import { clientModuleFormat, isClient, isTypeScriptClient, nodeModuleFormat } from './moduleFormat.js'
import { type GeneratorBlock, type GeneratorOptions, generatorOptions } from './options.js'
import { writeFiles, writeOwnFile } from './outputFolder.js'
import { render, renderPackage } from './render.js'
import { narrowTypes } from './types/narrowTypes.js'

/** What `prisma generate` hands to a generator, as far as this one reads it. */
export interface GenerateInput {
  readonly generator: GeneratorBlock
  readonly otherGenerators: readonly GeneratorBlock[]
  readonly datasources: readonly { readonly activeProvider: string }[]
  /** The schema's text, all files merged. */
  readonly datamodel: string
  readonly dmmf: { readonly datamodel: Datamodel }
}

/**
 * Writes the encryption schema of a Prisma schema to the generator's output folder, and makes the types of the clients
 * that `prisma-client` wrote fit it.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for the generator block, `SCHEMA_INVALID` for the models
 */
export function generate({ generator, otherGenerators, datasources, datamodel, dmmf }: GenerateInput): void {
  const options = generatorOptions(generator)
  refuseClientFolder(generator, options.output, otherGenerators)
  const narrowed = options.types === 'on' ? otherGenerators.filter(isTypeScriptClient) : []
  const provider = datasources[0]?.activeProvider ?? 'none'
  const schema = encryptionSchemaOf({ datamodel: dmmf.datamodel, provider, views: viewNames(datamodel) })
  for (const client of narrowed) requireClientBefore(generator, client, datamodel)
  if (options.language === 'typescript') writeFiles(options.output, render(schema, { language: 'typescript' }))
  else writeJavaScript(options, otherGenerators, schema)
  if (options.guards) writeOwnFile(options.guards, renderGuards(schema, dmmf.datamodel.models), 'guards')
  for (const client of narrowed) narrowTypes(client, { schema, enums: dmmf.datamodel.enums })
}

function writeJavaScript(
  { output, moduleFormat }: GeneratorOptions,
  otherGenerators: readonly GeneratorBlock[],
  schema: Parameters<typeof render>[0],
): void {
  const node = nodeModuleFormat(output)
  const format = moduleFormat ?? clientModuleFormat(otherGenerators) ?? node
  const files = render(schema, { language: 'javascript', moduleFormat: format })
  writeFiles(output, format === node ? files : { ...files, ...renderPackage(format) })
}

/** Prisma empties the folders of its clients whenever it generates them. */
function refuseClientFolder(generator: GeneratorBlock, output: string, others: readonly GeneratorBlock[]): void {
  const client = others.filter(isClient).find((other) => other.output?.value && contains(other.output.value, output))
  if (client === undefined) return
  throw new FieldsealError(
    'OPTIONS_INVALID',
    `generator ${generator.name} writes into the output folder of generator ${client.name}, which Prisma empties; ` +
      'give it a folder of its own: output = "../src/generated/encryption"',
  )
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return !isAbsolute(way) && way.split(/[\\/]/)[0] !== '..'
}

/** The data model does not tell views from models; the text does. */
function viewNames(datamodel: string): ReadonlySet<string> {
  return new Set([...datamodel.matchAll(/^\s*view\s+([A-Za-z][A-Za-z0-9_]*)\s*\{/gm)].map(([, name]) => name!))
}
