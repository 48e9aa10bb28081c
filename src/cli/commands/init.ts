import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { confirm } from '@clack/prompts'
import { createTwoFilesPatch } from 'diff'
import { docsAt } from '../../docs.js'
import { type Confirmation, requireConfirmation } from '../confirmation.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { envSourceOf } from '../init/dotenv.js'
import { readSources, withoutComments } from '../init/findDataSource.js'
import { findSchema, hasSchema } from '../init/findSchema.js'
import { type FileChange, hasOldUrl, planInit, type TextFile } from '../init/plan.js'
import { planTypeormInit } from '../init/planTypeorm.js'
import { readPackage } from '../init/readPackage.js'
import { CONFIG_NAMES } from '../loadConfig.js'
import type { Terminal } from '../terminal.js'

export interface InitArguments {
  readonly schema?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** What a project lacks, and how to go on. */
interface Plan {
  readonly changes: readonly FileChange[]
  /** What init does not add by itself. */
  readonly missing: readonly string[]
  /** Said where nothing is to be added. */
  readonly complete: string
  readonly next: string
}

const NEXT_WITH_PRISMA = `Next:
  1. Mark what is to be encrypted: email String /// @encrypted, and whose a row is: tenantId String /// @tenant
     For rows that are there already: @encrypted(migrating) until they are encrypted. See
     ${docsAt('existing-data.md')}
  2. npx prisma generate, then a migration for the keys table, as always
  3. Extend your client with fieldEncryption, and see to fieldseal.config.ts
  4. npx fieldseal status`

const NEXT_WITH_TYPEORM = `Next:
  1. Mark what is to be encrypted: @Encrypted() email: string, and whose a row is: @Tenant() @Column() tenantId: string
     For rows that are there already: @Encrypted({ column: 'varchar', state: 'migrating' }) until they are encrypted;
     columns of other types than varchar have to become text first. See
     ${docsAt('typeorm.md')}
  2. A migration for the keys table and new columns, as always
  3. See to fieldseal.config.ts
  4. npx fieldseal status`

const OLD_URL =
  'The datasource names a url, as up to Prisma 6: fieldseal needs Prisma 7.10, which takes it from prisma.config.ts.\n'

const WRITE: Confirmation = {
  unasked: 'nothing was written; say --yes to write this',
  ask: () => confirm({ message: 'Write this?' }),
  declined: 'nothing was written',
}

/** Adds what the project lacks, once that is agreed to. */
export async function runInit(root: string, terminal: Terminal, options: InitArguments): Promise<ExitCode> {
  const { dryRun, yes } = options
  const { changes, missing, complete, next } = await planOf(root, terminal, options)
  for (const change of changes) {
    terminal.event({ event: 'change', path: relative(root, change.path), after: change.after })
    terminal.say(diffOf(root, change))
  }
  for (const what of missing) {
    terminal.event({ event: 'missing', what })
    terminal.say(`Missing, for you to add: ${what}`)
  }
  if (changes.length === 0) {
    terminal.say(missing.length === 0 ? `Nothing to add: ${complete}` : 'Nothing else to add.')
    return EXIT.done
  }
  if (dryRun) return EXIT.done
  if (!yes) await requireConfirmation(terminal, WRITE)
  for (const { path, after } of changes) await writeFile(path, after)
  terminal.say(`Wrote ${changes.map(({ path }) => relative(root, path)).join(', ')}.\n${next}`)
  return EXIT.done
}

async function planOf(root: string, terminal: Terminal, { schema }: InitArguments): Promise<Plan> {
  const config = configIn(root)
  return schema === undefined && (await isOfTypeorm(root, config))
    ? planWithTypeorm(root, config)
    : planWithPrisma(root, terminal, { schema, configured: config !== undefined })
}

/** By its configuration, or else by what it has. */
async function isOfTypeorm(root: string, config: TextFile | undefined): Promise<boolean> {
  if (config) return /\bdataSource\b/.test(withoutComments(config.text))
  const { dependencies, devDependencies } = readPackage(root)
  return 'typeorm' in { ...dependencies, ...devDependencies } && !(await hasSchema(root))
}

function planWithTypeorm(root: string, config: TextFile | undefined): Plan {
  const isModule = readPackage(root).type === 'module'
  return {
    ...planTypeormInit({
      ...{ root, sources: readSources(root), config, isModule, env: envSourceOf(root) },
      hasEnvFile: existsSync(join(root, '.env')),
    }),
    complete: 'the configuration and the entity of the keys are there.',
    next: NEXT_WITH_TYPEORM,
  }
}

async function planWithPrisma(
  root: string,
  terminal: Terminal,
  { schema, configured }: { readonly schema: string | undefined; readonly configured: boolean },
): Promise<Plan> {
  const { files, folder } = await findSchema(root, schema)
  if (hasOldUrl(files)) terminal.say(OLD_URL)
  return {
    changes: planInit({ root, schema: files, folder, configured, env: envSourceOf(root) }),
    missing: [],
    complete: 'the generator, the model of the keys and the configuration are there.',
    next: NEXT_WITH_PRISMA,
  }
}

function configIn(root: string): TextFile | undefined {
  const path = CONFIG_NAMES.map((name) => join(root, name)).find((file) => existsSync(file))
  return path === undefined ? undefined : { path, text: readFileSync(path, 'utf8') }
}

function diffOf(root: string, { path, before, after }: FileChange): string {
  const name = relative(root, path)
  const patch = createTwoFilesPatch(
    before === null ? '/dev/null' : name,
    name,
    before ?? '',
    after,
    undefined,
    undefined,
    { context: 2 },
  )
  return patch.replace(/^(Index: .*\n)?=+\n/, '')
}
