import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from '../../src/cli/exitCode.js'
import { createProgram } from '../../src/cli/program.js'
import { blindIndexOptions, encryptedOptions } from '../../src/prisma/schema/annotationOptions.js'
import { rangeIndexOptions, textIndexOptions } from '../../src/prisma/schema/tokenIndexOptions.js'
import type { Annotation } from '../../src/schema/annotation.js'
import type { Report } from '../../src/schema/problem.js'
import { type PublicName, publicNames } from './publicNames.js'

const read = (path: string) => readFileSync(resolve(path), 'utf8')

const HEAD = `# Everything by its name

All marks, commands, options, codes and exports, with a line each. This page is made from the code by \`npm run docs\`; what each is for is on the page that is named.

Contents: [marks](#marks) · [commands](#commands) · [exit codes](#exit-codes) · [error codes](#error-codes) · [environment variables](#environment-variables) · [imports](#imports)
`

/** docs/reference.md as it should be: everything by its name, as the code has it. */
export function reference(): string {
  const parts = [marks(), commands(), exitCodes(), errorCodes(), variables(), imports()]
  return [HEAD, ...parts].join('\n')
}

const table = (heads: readonly string[], rows: readonly (readonly string[])[]) => {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}

const code = (text: string) => `\`${text}\``

const OPTIONS: { readonly [mark: string]: (annotation: Annotation, report: Report) => unknown } = {
  encrypted: encryptedOptions,
  blindIndex: blindIndexOptions,
  textIndex: textIndexOptions,
  rangeIndex: rangeIndexOptions,
}

/** What a mark knows, it says itself when it is asked for something else. */
function optionsOfMark(name: string): string {
  const options = OPTIONS[name]
  if (!options) return 'none'
  const said: string[] = []
  const args = [{ name: 'unknown', value: { kind: 'identifier', text: 'x' } }] as const
  options({ name, args } as unknown as Annotation, (problem: string) => said.push(problem))
  const known = said.map((problem) => problem.split(' knows ')[1]).find((list) => list !== undefined)
  if (known === undefined) throw new Error(`@${name} does not say what it knows: ${said.join('; ')}`)
  return known
}

function marks(): string {
  const names = /name\s+=(.*);/.exec(read('docs/annotations.md').split('```ebnf')[1]!)![1]!
  const decorators: { readonly [mark: string]: string } = { encryptionKeys: 'EncryptionKeys', tenant: 'Tenant' }
  const rows = Array.from(names.matchAll(/"(\w+)"/g), ([, name]) => {
    const decorator = decorators[name!] ?? name!.charAt(0).toUpperCase() + name!.slice(1)
    return [code(`@${name}`), code(`@${decorator}()`), optionsOfMark(name!)]
  })
  return `## Marks

In a Prisma schema behind \`///\` ([annotations.md](annotations.md)); with TypeORM, decorators ([typeorm.md](typeorm.md)).

${table(['in a Prisma schema', 'with TypeORM', 'options'], rows)}`
}

/** A command and those under it, by their whole names. */
function commandsOf(command: Command, before = ''): [name: string, command: Command][] {
  const name = `${before}${command.name()}`
  const below = command.createHelp().visibleCommands(command)
  const own = below.filter((one) => one.name() !== 'help')
  if (own.length > 0) return own.flatMap((one) => commandsOf(one, `${name} `))
  return [[[name, ...command.registeredArguments.map((one) => `<${one.name()}>`)].join(' '), command]]
}

function commands(): string {
  const program = createProgram({ stdout: process.stdout, stderr: process.stderr } as never)
  const rows = commandsOf(program).map(([name, command]) => {
    const options = command.options.map(({ flags }) => code(flags)).join(', ')
    return [code(name), (command.summary() || command.description()).replace(/\.$/, ''), options]
  })
  return `## Commands

What each does and when: [commands.md](commands.md). \`npx fieldseal <command> --help\` explains its options. Beside it: \`fieldseal-generator\`, which \`prisma generate\` runs, and \`fieldseal-kms-emulator\`.

${table(['command', 'does', 'options'], rows)}`
}

const EXIT_CODES: { readonly [name in keyof typeof EXIT]: string } = {
  done: 'done',
  failed: 'failed: the message says why; the same command goes on',
  usage: 'the command line, the configuration or the schema is wrong; nothing was changed',
  problems: 'done, but rows were left or problems found',
  interrupted: 'interrupted; the same command goes on',
}

function exitCodes(): string {
  const rows = Object.entries(EXIT).map(([name, value]) => [String(value), EXIT_CODES[name as keyof typeof EXIT]])
  return `## Exit codes

More on each: [commands.md](commands.md#exit-codes).

${table(['code', 'means'], rows)}`
}

function errorCodes(): string {
  const rows = Array.from(read('src/errors.ts').matchAll(/^ \* \| (`[A-Z_]+`) \| (.*) \|$/gm), ([, name, what]) => [
    name!,
    what!,
  ])
  return `## Error codes

Every error is a \`FieldsealError\` with one of these in \`code\`. What to do: [errors.md](errors.md).

${table(['code', 'what happened'], rows)}`
}

const VARIABLES = [
  ['`FIELDSEAL_ENGINE`', '`native` or `node`: which engine does the cryptography ([performance.md](performance.md))'],
  ['`NODE_DEBUG=fieldseal`', 'prints the [route of each operation](operations.md#the-route-of-an-operation)'],
  ['`DATABASE_URL`', 'the database of the commands, unless `fieldseal.config.ts` says another'],
]

function variables(): string {
  return `## Environment variables

${table(['variable', ''], VARIABLES)}`
}

/** The source of each entry point, as package.json and tsconfig.json name them. */
function entries(): Map<string, string> {
  const { exports } = JSON.parse(read('package.json')) as { exports: { [entry: string]: unknown } }
  const { paths } = JSON.parse(read('tsconfig.json')).compilerOptions as { paths: { [entry: string]: [string] } }
  const names = Object.keys(exports).filter((entry) => entry !== './package.json')
  return new Map(
    names.map((entry) => {
      const name = entry.replace(/^\./, 'fieldseal')
      return [name, paths[name]![0]]
    }),
  )
}

function imports(): string {
  const seen = new Set<string>()
  const parts = Array.from(publicNames(entries()), ([entry, names]) => {
    const fresh = names.filter(({ name, kind }) => kind !== 'type' || !seen.has(name))
    const again = names.filter((one) => !fresh.includes(one)).map(({ name }) => code(name))
    for (const { name } of names) seen.add(name)
    const rows = fresh.map(({ name, kind, says }) => [code(name), kind, says])
    const others = again.length === 0 ? [] : [`Types that are above, too: ${again.join(', ')}.\n`]
    const options = fresh.filter((one) => one.options.length > 0).map(optionsTable)
    return [`### ${code(entry)}\n`, table(['name', '', ''], rows), ...others, ...options].join('\n')
  })
  return `## Imports

${parts.join('\n')}`
}

function optionsTable({ name, options }: PublicName): string {
  const rows = options.map((option) => [code(option.name), option.says])
  return `Of ${code(name)}:\n\n${table(['option', ''], rows)}`
}
