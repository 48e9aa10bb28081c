import { dirname, extname, join, relative, sep } from 'node:path'
import type { InitAnswers } from './answers.js'
import { type EnvSource, LOAD_ENV_FILE } from './dotenv.js'
import { entityMarks } from './entityMarks.js'
import { type FoundDataSource, findDataSource, withoutComments } from './findDataSource.js'
import { importLines, kmsCode } from './kmsCode.js'
import { type FileChange, NO_ANSWERS, type TextFile } from './plan.js'
import { defaultTenant, kmsComment, tenantsOption } from './prismaConfig.js'

export interface TypeormInitInput {
  /** The folder of the project. */
  readonly root: string
  /** The sources of the project. */
  readonly sources: readonly TextFile[]
  /** The configuration that is there. */
  readonly config: TextFile | undefined
  /** Its files are ES modules, which are imported by their whole names. */
  readonly isModule: boolean
  /** A `.env` is there. */
  readonly hasEnvFile?: boolean
  readonly env?: EnvSource
  /** What the configuration says, where it makes the data source; many tenants and a local key unless given. */
  readonly answers?: InitAnswers
}

export interface TypeormInitPlan {
  readonly changes: readonly FileChange[]
  /** What only the user can add, since it is code of the application. */
  readonly missing: readonly string[]
}

const KEYS_ENTITY = `import { EncryptionKeyColumns, EncryptionKeys } from 'fieldseal/typeorm'
import { Entity } from 'typeorm'

@EncryptionKeys()
@Entity('encryption_keys')
export class EncryptionKey extends EncryptionKeyColumns {}`

/** What a project with TypeORM lacks. Its own code is not changed. */
export function planTypeormInit(input: TypeormInitInput): TypeormInitPlan {
  const { root, sources, config } = input
  const source = findDataSource(sources) ?? (config && inConfig(config))
  const changes = config
    ? []
    : [{ path: join(root, 'fieldseal.config.ts'), before: null, after: configOf(input, source) }]
  const path = source && relative(root, source.file.path)
  const keys = keysEntity(sources)
  const missing: string[] = []
  if (source && !source.encrypts) missing.push(encryptionCode(path!, input.answers))
  if (!keys.isThere) missing.push(`an entity that stores the keys:\n\n${indented(KEYS_ENTITY)}\n`)
  const keysName = keys.isThere ? keys.name : 'EncryptionKey'
  // A configuration of init's own names the entities that are there.
  if (keysName !== undefined && (source ? leavesOut(source, keysName) : !keys.isThere))
    missing.push(`${keysName} among the "entities" of the data source in ${path ?? 'fieldseal.config.ts'}`)
  return { changes, missing: [...missing, ...entityMarks(root, sources, input.answers ?? NO_ANSWERS)] }
}

/** Whether a configuration of init's own makes the data source, and with it the KMS. */
export function makesDataSource({ sources, config }: Pick<TypeormInitInput, 'sources' | 'config'>): boolean {
  return config === undefined && findDataSource(sources) === undefined
}

/** Whether the application's own code says whose KMS it is. */
export function encryptsAlready(sources: readonly TextFile[]): boolean {
  return findDataSource(sources)?.encrypts === true
}

function encryptionCode(path: string, answers: InitAnswers = NO_ANSWERS): string {
  const kms = kmsCode(answers.kms)
  const lines = [
    ...importLines({ ...kms.imports, 'fieldseal/typeorm': '{ fieldEncryption }' })
      .trimEnd()
      .split('\n'),
    ...['', ...kms.setup],
    `fieldEncryption(new DataSource({ … }), { kms: ${kms.expression}${defaultTenant(answers)} })`,
  ]
  return `encryption in ${path}, before initialize():\n\n${indented(lines.join('\n'))}\n`
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ')
}

/** One that the configuration makes by itself. */
function inConfig(file: TextFile): FoundDataSource | undefined {
  const text = withoutComments(file.text)
  if (!/\bnew\s+DataSource\s*\(/.test(text)) return undefined
  return { file, name: 'default', encrypts: /\bfieldEncryption\s*\(/.test(text) }
}

interface KeysEntity {
  readonly isThere: boolean
  /** Of its class, if it is one. */
  readonly name?: string | undefined
}

function keysEntity(sources: readonly TextFile[]): KeysEntity {
  const texts = sources.map(({ text }) => withoutComments(text))
  const marked = texts.flatMap((text) => /@EncryptionKeys\s*\(\s*\)[\s\S]*?\bclass\s+(\w+)/.exec(text)?.[1] ?? [])[0]
  return { isThere: marked !== undefined || texts.some((text) => /\bencryptionKeys\s*\(/.test(text)), name: marked }
}

/** Whether a list of classes names others only. One of folders, or of what is not seen here, may have it. */
function leavesOut({ file }: FoundDataSource, name: string): boolean {
  const listed = /\bentities\s*:\s*\[([\w\s,]*)\]/.exec(withoutComments(file.text))
  return listed !== null && !listed[1]!.split(/[\s,]+/).includes(name)
}

function configOf(input: TypeormInitInput, source: FoundDataSource | undefined): string {
  if (!source) return ownConfig(input)
  const path = importPath(input, source.file.path)
  const isDefault = source.name === 'default' || source.name === 'dataSource'
  const imported = source.name === 'default' ? 'dataSource' : `{ ${source.name} }`
  const { firstImports, statements } = input.hasEnvFile ? (input.env ?? LOAD_ENV_FILE) : NO_ENV
  // What is imported comes before any statement.
  const later = statements !== ''
  const given = later
    ? `dataSource: async () => (await import('${path}')).${source.name}`
    : isDefault
      ? 'dataSource'
      : `dataSource: ${source.name}`
  return `${firstImports}import { defineConfig } from 'fieldseal'
${later ? '' : `import ${imported} from '${path}'\n`}
${later ? `${statements}\n` : ''}// The command works with the data source of your app: the same entities, the same KMS, the same options.
export default defineConfig({
  ${given},
${tenantsOption(input.answers ?? NO_ANSWERS, {}, ENTITIES)}})
`
}

const NO_ENV: EnvSource = { firstImports: '', statements: '' }

/** Where no file exports a data source, as with NestJS. */
function ownConfig(input: TypeormInitInput): string {
  const entities = input.sources.flatMap(({ path, text }) => {
    const classes = [...withoutComments(text).matchAll(ENTITY)].map(([, name]) => name!)
    return classes.length === 0 ? [] : { path: importPath(input, path), classes }
  })
  const imports = entities.map(({ path, classes }) => `import { ${classes.join(', ')} } from '${path}'\n`)
  const names = entities.flatMap(({ classes }) => classes)
  const { firstImports, statements } = input.env ?? LOAD_ENV_FILE
  const { answers = NO_ANSWERS } = input
  const kms = kmsCode(answers.kms)
  const modules = {
    ...{ fieldseal: '{ defineConfig }', 'fieldseal/typeorm': '{ fieldEncryption }', typeorm: '{ DataSource }' },
    ...kms.imports,
  }
  return `${firstImports}${importLines(modules)}${imports.join('')}
${statements}${statements && '\n'}// The command works with a data source like that of your app: the same entities, the same KMS, the same options. Import it
// from your app, or make it here as your app does. ${kmsComment(answers)}
${kms.setup.map((line) => `${line}\n`).join('')}export default defineConfig({
  dataSource: () =>
    fieldEncryption(
      new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities: [${names.join(', ')}] }),
      { kms: ${kms.expression}${defaultTenant(answers)} },
    ),
${tenantsOption(answers, {}, ENTITIES)}})
`
}

const ENTITIES = 'entities without @Tenant: relations, and a property at their end'

/** Classes that are entities, whatever other decorators they have. */
const ENTITY =
  /@(?:Entity|ChildEntity|ViewEntity|EncryptionKeys)\s*\((?:(?!\bclass\b)[\s\S])*?\bexport\s+(?:abstract\s+)?class\s+(\w+)/g

function importPath({ root, isModule }: TypeormInitInput, path: string): string {
  const from = relative(root, path).split(sep).join('/')
  const ending = extname(from)
  const plain = `${dirname(from)}/${from.slice(dirname(from) === '.' ? 0 : dirname(from).length + 1, -ending.length)}`
  const shown = /^\.[cm]/.test(ending) ? ending.replace('ts', 'js') : isModule ? '.js' : ''
  return `${plain.startsWith('.') ? '' : './'}${plain}${shown}`
}
