import { dirname, resolve } from 'node:path'
import { FieldsealError } from '../../errors.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'

/** The part of a generator block that this generator reads. */
export interface GeneratorBlock {
  readonly name: string
  readonly provider: { readonly value: string | null }
  readonly output: { readonly value: string | null } | null
  /** The schema file that the block is in. */
  readonly sourceFilePath?: string
  readonly config: { readonly [option: string]: string | readonly string[] | undefined }
}

export type Language = 'typescript' | 'javascript'
export type ModuleFormat = 'esm' | 'cjs'
export type Types = 'on' | 'off'

export interface GeneratorOptions {
  /** An absolute path. */
  readonly output: string
  readonly language: Language
  /** Left out when the block does not say. */
  readonly moduleFormat?: ModuleFormat
  /** Whether the types of `prisma-client` clients are made to fit the encrypted fields. */
  readonly types: Types
  /** The file for the SQL of the guards, an absolute path; none is written without. */
  readonly guards?: string
}

/** Of these the values are no choice. */
const free = ['guards']

const values = {
  language: ['typescript', 'javascript'],
  moduleFormat: ['esm', 'cjs'],
  types: ['on', 'off'],
} as const satisfies {
  language: readonly Language[]
  moduleFormat: readonly ModuleFormat[]
  types: readonly Types[]
}

type Option = keyof typeof values

/**
 * Reads a generator block.
 *
 * @throws FieldsealError `OPTIONS_INVALID` naming the option, and what it may be
 */
export function generatorOptions(block: GeneratorBlock): GeneratorOptions {
  const output = block.output?.value
  if (!output)
    throw invalidGenerator(block, 'has no `output`; add the folder to write to: output = "../src/generated/encryption"')
  refuseUnknown(block)
  const language = choice(block, 'language') ?? 'typescript'
  const moduleFormat = choice(block, 'moduleFormat')
  if (language === 'typescript' && moduleFormat !== undefined) {
    throw invalidGenerator(
      block,
      'has a `moduleFormat`, which only language = "javascript" uses; remove it: TypeScript serves both',
    )
  }
  const guards = guardsFile(block)
  return {
    output,
    language,
    types: choice(block, 'types') ?? 'on',
    ...(moduleFormat === undefined ? {} : { moduleFormat }),
    ...(guards === undefined ? {} : { guards }),
  }
}

function refuseUnknown(block: GeneratorBlock): void {
  const known = [...Object.keys(values), ...free]
  const unknown = Object.keys(block.config).find((option) => !known.includes(option))
  if (unknown === undefined) return
  const list = ['provider', 'output', ...known].join(', ')
  throw invalidGenerator(
    block,
    `has an unknown option \`${unknown}\`; ${andThen(didYouMean(unknown, known))}it knows ${list}`,
  )
}

/** Relative to the schema file, as `output` is. */
function guardsFile(block: GeneratorBlock): string | undefined {
  const { guards } = block.config
  if (guards === undefined) return undefined
  if (typeof guards === 'string' && guards.endsWith('.sql'))
    return resolve(dirname(block.sourceFilePath ?? '.'), guards)
  throw invalidGenerator(
    block,
    `has guards = ${JSON.stringify(guards)}; write the name of an SQL file: "../prisma/guards.sql"`,
  )
}

function choice<O extends Option>(block: GeneratorBlock, option: O): (typeof values)[O][number] | undefined {
  const value = block.config[option]
  if (value === undefined) return undefined
  const known: readonly (typeof values)[O][number][] = values[option]
  const found = known.find((candidate) => candidate === value)
  if (found !== undefined) return found
  throw invalidGenerator(
    block,
    `has ${option} = ${JSON.stringify(value)}; write ${known.map((each) => `"${each}"`).join(' or ')}`,
  )
}

function invalidGenerator({ name }: GeneratorBlock, text: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `generator ${name} ${text}`)
}
