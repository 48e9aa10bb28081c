import { basename, dirname, join, posix, relative, sep } from 'node:path'
import { FieldsealError } from '../../errors.js'
import { keysModelSource } from '../../prisma/schema/keysModelSource.js'
import type { InitAnswers } from './answers.js'
import type { EnvSource } from './dotenv.js'
import { markSchema } from './markSchema.js'
import { prismaConfig } from './prismaConfig.js'
import { schemaModels } from './schemaModels.js'
import { append, insertAfter, isKeysModel, type SchemaBlock, schemaBlocks, setting } from './schemaText.js'
import { tenantPathsOf } from './tenantPaths.js'

/** A file by its path, and what is in it. */
export interface TextFile {
  readonly path: string
  readonly text: string
}

/** A file to be written. */
export interface FileChange {
  readonly path: string
  /** `null` for a new file. */
  readonly before: string | null
  readonly after: string
  /** What is shown of it where it holds secrets. */
  readonly shown?: string
}

export interface InitInput {
  /** The folder of the project. */
  readonly root: string
  /** The files of the schema. */
  readonly schema: readonly TextFile[]
  /** The schema is a folder, to which files may be added. */
  readonly folder: string | undefined
  /** A fieldseal.config.* is there. */
  readonly configured: boolean
  readonly env?: EnvSource
  /** What is to be marked, and what the configuration says; nothing, and a local key, unless given. */
  readonly answers?: InitAnswers
}

/** Marks nothing; a local key, and tenants that the application names. */
export const NO_ANSWERS: InitAnswers = {
  ...{ fields: [], blindIndexes: [], migrating: false, kms: 'local' },
  tenancy: { kind: 'many', column: undefined },
}

interface Located {
  readonly file: TextFile
  readonly block: SchemaBlock
}

/**
 * What the project lacks: the generator, the model of the keys, the configuration, and the marks that were chosen.
 * Nothing else changes.
 *
 * @returns no changes when there is nothing to add
 * @throws FieldsealError `SCHEMA_INVALID` for a schema that fieldseal cannot work with
 */
export function planInit(input: InitInput): FileChange[] {
  const blocks = input.schema.flatMap((file) => schemaBlocks(file.text).map((block): Located => ({ file, block })))
  checkDatasource(blocks)
  const client = clientGenerator(blocks)
  const { answers = NO_ANSWERS } = input
  const texts = new Map(input.schema.map(({ path, text }) => [path, text]))
  // The one further down first, so that the lines of the other stay where they are.
  addKeysModel(input, blocks, client, texts)
  addGenerator(blocks, client, texts)
  for (const [path, text] of texts) texts.set(path, markSchema(text, schemaModels(text), answers))
  const before = new Map(input.schema.map(({ path, text }) => [path, text]))
  const changes = [...texts]
    .filter(([path, text]) => before.get(path) !== text)
    .map(([path, after]): FileChange => ({ path, before: before.get(path) ?? null, after }))
  return input.configured ? changes : [...changes, configFile(input, blocks, client)]
}

function checkDatasource(blocks: readonly Located[]): void {
  const source = blocks.find(({ block }) => block.keyword === 'datasource')
  if (!source)
    throw invalidSchema('the schema has no datasource: is this the whole schema? Name its file or folder with --schema')
  const provider = setting(source.block, 'provider')
  if (provider === 'postgresql' || provider === 'postgres') return
  throw invalidSchema(
    `the datasource has the provider ${JSON.stringify(provider ?? '')}; fieldseal works with PostgreSQL only`,
  )
}

/** Whether a schema is still as Prisma 6 wants it. */
export function hasOldUrl(schema: readonly TextFile[]): boolean {
  const blocks = schema.flatMap(({ text }) => schemaBlocks(text))
  return blocks.some(({ keyword, text }) => keyword === 'datasource' && /^\s*(url|directUrl)\s*=/m.test(text))
}

function clientGenerator(blocks: readonly Located[]): Located {
  const generators = blocks.filter(({ block }) => block.keyword === 'generator')
  const client = generators.find(({ block }) => /^prisma-client(-js)?$/.test(setting(block, 'provider') ?? ''))
  if (client) return client
  throw invalidSchema(
    'the schema has no generator with the provider "prisma-client" or "prisma-client-js": fieldseal extends its client',
  )
}

/** Beside the client's output. Prisma empties that, so it must not be inside. */
function encryptionOutput({ block, file }: Located): string {
  const output = setting(block, 'output')
  if (output === undefined)
    return posix.join(relativePath(dirname(file.path), dirname(dirname(file.path))) || '.', 'generated/encryption')
  const parent = posix.dirname(output)
  return parent.startsWith('.') ? posix.join(parent, 'encryption').replace(/^(?!\.)/, './') : `${parent}/encryption`
}

function addGenerator(blocks: readonly Located[], client: Located, texts: Map<string, string>): void {
  if (generatorOf(blocks)) return
  const { file, block } = client
  const output = encryptionOutput(client)
  const source = `\ngenerator encryption {\n  provider = "fieldseal-generator"\n  output   = ${JSON.stringify(output)}\n}`
  texts.set(file.path, insertAfter(texts.get(file.path)!, block.end, source))
}

function generatorOf(blocks: readonly Located[]): Located | undefined {
  return blocks.find(
    ({ block }) => block.keyword === 'generator' && /fieldseal-generator/.test(setting(block, 'provider') ?? ''),
  )
}

function addKeysModel(input: InitInput, blocks: readonly Located[], client: Located, texts: Map<string, string>): void {
  if (blocks.some(({ block }) => isKeysModel(block))) return
  const model = keysModel(blocks)
  const { folder } = input
  if (folder === undefined) {
    texts.set(client.file.path, append(texts.get(client.file.path)!, model))
    return
  }
  const taken = new Set(input.schema.map(({ path }) => basename(path)))
  const name =
    ['encryption.prisma', 'fieldseal.prisma'].find((candidate) => !taken.has(candidate)) ?? 'fieldseal_keys.prisma'
  texts.set(join(folder, name), append('', model))
}

/** Under names that are free, and in a schema of the database where models must have one. */
function keysModel(blocks: readonly Located[]): string {
  const names = new Set(blocks.map(({ block }) => block.name))
  const tables = new Set(
    blocks.flatMap(({ block }) =>
      [...block.text.matchAll(/@@map\(\s*(?:name:\s*)?"([^"]+)"/g)].map(([, table]) => table!),
    ),
  )
  const free = (candidates: readonly string[], taken: ReadonlySet<string>) =>
    candidates.find((name) => !taken.has(name)) ?? candidates.at(-1)!
  const name = free(['EncryptionKey', 'FieldsealKey', 'FieldsealEncryptionKey'], names)
  const table = free(['encryption_keys', 'fieldseal_keys', 'fieldseal_encryption_keys'], new Set([...tables, ...names]))
  const schema = databaseSchema(blocks)
  const source = keysModelSource
    .replace('model EncryptionKey', `model ${name}`)
    .replace('"encryption_keys"', JSON.stringify(table))
  return schema === undefined ? source : source.replace(/\n\}$/, `\n  @@schema(${JSON.stringify(schema)})\n}`)
}

/** With several schemas each model names its own: that of most models. */
function databaseSchema(blocks: readonly Located[]): string | undefined {
  const used = blocks.flatMap(({ block }) =>
    block.keyword === 'model' ? (/@@schema\("([^"]+)"\)/.exec(block.text)?.[1] ?? []) : [],
  )
  const counts = new Map<string, number>()
  for (const schema of used) counts.set(schema, (counts.get(schema) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0]
}

function configFile(input: InitInput, blocks: readonly Located[], client: Located): FileChange {
  const { root, answers = NO_ANSWERS } = input
  const generator = generatorOf(blocks)
  const at = (located: Located, output: string) => importPath(root, join(dirname(located.file.path), output))
  const folder = generator
    ? at(generator, setting(generator.block, 'output') ?? '')
    : at(client, encryptionOutput(client))
  const output = setting(client.block, 'output')
  const modern = setting(client.block, 'provider') === 'prisma-client'
  const prisma = output === undefined ? '@prisma/client' : `${at(client, output)}/${modern ? 'client' : 'index'}.js`
  const imports = { prisma, encryption: `${folder}/index.js` }
  const after = prismaConfig({ ...{ imports, answers, env: input.env }, ...tenantPathsOf(input) })
  return { path: join(root, 'fieldseal.config.ts'), before: null, after }
}

function importPath(root: string, path: string): string {
  const from = relativePath(root, path)
  return from.startsWith('.') ? from : `./${from}`
}

function relativePath(from: string, to: string): string {
  return relative(from, to).split(sep).join('/')
}

function invalidSchema(message: string): FieldsealError {
  return new FieldsealError('SCHEMA_INVALID', message)
}
