import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { confirm } from '@clack/prompts'
import { createTwoFilesPatch } from 'diff'
import { FieldsealError } from '../../errors.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { withoutComments } from '../init/findDataSource.js'
import { hasSchema } from '../init/findSchema.js'
import type { FileChange, TextFile } from '../init/plan.js'
import { type ProjectPlan, planWithPrisma } from '../init/planWithPrisma.js'
import { planWithTypeorm } from '../init/planWithTypeorm.js'
import { answered, Interrupted, QUESTIONS } from '../init/questions.js'
import { readPackage } from '../init/readPackage.js'
import { type Asked, type GivenAnswers, UNASKED } from '../init/resolveAnswers.js'
import { uninterrupted } from '../interrupt.js'
import { CONFIG_NAMES } from '../loadConfig.js'
import type { Terminal } from '../terminal.js'

export interface InitArguments extends GivenAnswers {
  readonly schema?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const DECLINED = 'nothing was written'

/** Asks what is to be encrypted, and adds what the project lacks, once that is agreed to. */
export async function runInit(root: string, terminal: Terminal, options: InitArguments): Promise<ExitCode> {
  try {
    return await initialise(root, terminal, options)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    terminal.say(`Stopped: ${DECLINED}.`)
    return EXIT.interrupted
  }
}

async function initialise(root: string, terminal: Terminal, options: InitArguments): Promise<ExitCode> {
  const { dryRun, yes } = options
  const { changes, missing, notes, complete, next } = await planOf(root, options, terminal.asks && !dryRun && !yes)
  for (const change of changes) {
    const path = relative(root, change.path)
    terminal.event({ event: 'change', path, ...(change.shown ? { adds: change.shown } : { after: change.after }) })
    terminal.say(diffOf(root, change))
  }
  for (const note of notes) terminal.say(note)
  for (const what of missing) {
    terminal.event({ event: 'missing', what })
    terminal.say(`Missing, for you to add: ${what}`)
  }
  if (changes.length === 0) {
    terminal.say(missing.length === 0 ? `Nothing to add: ${complete}` : 'Nothing else to add.')
    return EXIT.done
  }
  if (dryRun) return EXIT.done
  if (!yes) await requireYes(terminal)
  write(root, changes)
  terminal.say(`Wrote ${changes.map(({ path }) => relative(root, path)).join(', ')}.\n${next}`)
  return EXIT.done
}

async function requireYes({ asks }: Terminal): Promise<void> {
  if (!asks) throw new FieldsealError('OPTIONS_INVALID', `${DECLINED}; say --yes to write this`)
  if (!(await answered(confirm({ message: 'Write this?' })))) throw new FieldsealError('OPTIONS_INVALID', DECLINED)
}

/** All of it or nothing, but for a disk that fails in between. */
function write(root: string, changes: readonly FileChange[]): void {
  const changed = changes.find(({ path, before }) => before !== (existsSync(path) ? readFileSync(path, 'utf8') : null))
  if (changed)
    throw new FieldsealError(
      'OPTIONS_INVALID',
      `${relative(root, changed.path)} has changed meanwhile, so ${DECLINED}: run the command again`,
    )
  uninterrupted(() => {
    for (const { path, after, shown } of changes) writeFileSync(path, after, shown === undefined ? {} : { mode: 0o600 })
  })
}

async function planOf(root: string, options: InitArguments, asks: boolean): Promise<ProjectPlan> {
  const config = configIn(root)
  const asked: Asked = asks ? QUESTIONS : UNASKED
  return options.schema === undefined && (await isOfTypeorm(root, config))
    ? planWithTypeorm(root, config, options, asked)
    : planWithPrisma(root, config, options, asked)
}

/** By its configuration, or else by what it has. */
async function isOfTypeorm(root: string, config: TextFile | undefined): Promise<boolean> {
  if (config) return /\bdataSource\b/.test(withoutComments(config.text))
  const { dependencies, devDependencies } = readPackage(root)
  return 'typeorm' in { ...dependencies, ...devDependencies } && !(await hasSchema(root))
}

function configIn(root: string): TextFile | undefined {
  const path = CONFIG_NAMES.map((name) => join(root, name)).find((file) => existsSync(file))
  return path === undefined ? undefined : { path, text: readFileSync(path, 'utf8') }
}

function diffOf(root: string, { path, before, after, shown }: FileChange): string {
  const name = relative(root, path)
  if (shown !== undefined) return `--- ${before === null ? '/dev/null' : name}\n+++ ${name}\n+${shown}\n`
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
