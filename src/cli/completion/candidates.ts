import type { Command, Option } from 'commander'
import type { SchemaNames } from './schemaNames.js'

/** What can stand at a place of the command line; `files` where a file is named. */
export type Candidates = 'files' | readonly Candidate[]

export interface Candidate {
  readonly name: string
  readonly description: string
}

const FILES = new Set(['--config', '--schema', '--html'])
const FIELD = 'Model.field'

/**
 * What can follow.
 *
 * @param words all that stands before the word under the cursor, without the program's own name
 * @param current the word under the cursor, as far as it goes; empty for a new one
 * @param names asked for only where one can stand
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  current: string,
  names: () => Promise<SchemaNames>,
): Promise<Candidates> {
  const { command, open, used, arguments: before } = completionPoint(program, words)
  const [, given, value] = /^(--[\w-]+)=(.*)$/.exec(current) ?? []
  if (given !== undefined && value !== undefined) {
    const option = optionsOf(command).find(({ long }) => long === given)
    const found = option ? await valuesOf(option, names) : []
    return found === 'files' ? found : found.map((one) => ({ ...one, name: `${given}=${one.name}` }))
  }
  if (current.startsWith('-')) return flagsOf(command, used)
  if (open) return valuesOf(open, names)
  if (takesField(command)) return before > 0 ? [] : named((await names()).fields)
  return [...subcommandsOf(command), ...choicesOf(command)]
}

interface CompletionPoint {
  readonly command: Command
  /** The option whose value may stand here. */
  readonly open: Option | undefined
  readonly used: ReadonlySet<Option>
  /** How many of the command's own arguments stand before it. */
  readonly arguments: number
}

function completionPoint(program: Command, words: readonly string[]): CompletionPoint {
  const used = new Set<Option>()
  let command = program
  let open: Option | undefined
  let given = 0
  for (const word of words) {
    if (word.startsWith('-')) {
      const [flag] = word.split('=')
      const option = optionsOf(command).find(({ long, short }) => long === flag || short === flag)
      if (option) used.add(option)
      open = option?.required && !word.includes('=') ? option : undefined
    } else if (open) {
      open = open.variadic ? open : undefined
    } else {
      const next = command.commands.find((one) => one.name() === word)
      given = next === undefined ? given + 1 : 0
      command = next ?? command
    }
  }
  return { command, open, used, arguments: given }
}

function optionsOf(command: Command): Option[] {
  return command.createHelp().visibleOptions(command)
}

function flagsOf(command: Command, used: ReadonlySet<Option>): Candidate[] {
  return optionsOf(command)
    .filter((option) => option.variadic || ![...used].some(({ long }) => long === option.long))
    .map(({ long, short, description }) => ({ name: (long ?? short)!, description }))
}

async function valuesOf({ long, argChoices }: Option, names: () => Promise<SchemaNames>): Promise<Candidates> {
  if (FILES.has(long!)) return 'files'
  const values = long === '--model' ? (await names()).models : long === '--field' ? (await names()).fields : argChoices
  return named(values ?? [])
}

/** Whether its argument is the name of a field. */
function takesField({ registeredArguments }: Command): boolean {
  return registeredArguments.some((argument) => argument.name() === FIELD)
}

function named(names: readonly string[]): Candidate[] {
  return names.map((name) => ({ name, description: '' }))
}

function subcommandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ name: one.name(), description: one.summary() || one.description() }))
}

function choicesOf({ registeredArguments }: Command): Candidate[] {
  return registeredArguments.flatMap(({ argChoices = [] }) => named(argChoices))
}
