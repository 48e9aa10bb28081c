import { confirm } from '@clack/prompts'
import { FieldsealError } from '../../errors.js'
import type { CopiedKey } from '../../keys/keyStore.js'
import type { RestoreKeysReport } from '../../maintenance/keys/restoreOptions.js'
import { printable } from '../../printable.js'
import { requireConfirmation } from '../confirmation.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { onInterrupt } from '../interrupt.js'
import { readKeysFile } from '../keysFile.js'
import type { CommandContext } from '../loadConfig.js'
import { shellWord } from '../shellWord.js'
import { counted, type Terminal } from '../terminal.js'

export interface RestoreArguments {
  readonly file: string | undefined
  /** A restored copy of the table in the same database, perhaps with its schema: `restored.encryption_keys`. */
  readonly table?: string
  readonly tenant?: readonly string[]
  readonly rate?: number
  readonly verify?: boolean
  readonly undoShred?: readonly string[]
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Merges a copy of the keys table into it: shows first what would be done, and asks. */
export async function runRestore(
  context: CommandContext,
  terminal: Terminal,
  args: RestoreArguments,
): Promise<ExitCode> {
  const { tenant: tenants, rate, verify, undoShred, dryRun, yes } = args
  const keys = await copyOf(context, args)
  const interrupt = onInterrupt((message) => terminal.say(message))
  const run = async (options: { readonly dryRun: boolean; readonly verify: boolean }) => {
    const report = await context.client.$encryption.restoreKeys({
      ...{ keys, ...options, signal: interrupt.signal },
      ...(tenants && { tenants }),
      ...(rate !== undefined && { rate }),
      ...(undoShred && { undoShred }),
      onProgress: ({ done, total }) => terminal.progress({ name: 'restore', done, total, unit: 'key' }),
    })
    terminal.settle()
    return report
  }
  try {
    if (!yes || dryRun) {
      show(terminal, await run({ dryRun: true, verify: verify ?? true }), { isDry: true })
      if (dryRun) return EXIT.done
      await requireConfirmation(terminal, CONFIRMATION)
    }
    const report = await run({ dryRun: false, verify: verify ?? true })
    return show(terminal, report, { isDry: false })
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    terminal.say('Interrupted. What was restored is restored; the same command does the rest.')
    return EXIT.interrupted
  } finally {
    terminal.settle()
    interrupt.dispose()
  }
}

const CONFIRMATION = {
  unasked: 'keys restore changes the keys table; say --yes if what was shown is meant, or --dry-run to look only',
  ask: () => confirm({ message: 'Do this?', initialValue: false }),
  declined: 'nothing was changed',
}

async function copyOf(
  { client, database }: CommandContext,
  { file, table }: RestoreArguments,
): Promise<readonly CopiedKey[]> {
  if ((file === undefined) === (table === undefined))
    throw new FieldsealError('OPTIONS_INVALID', 'name what to restore from: a file, or --table')
  if (table !== undefined) return client.$encryption.exportKeys({ database, copy: tableOf(table) })
  const read = await readKeysFile(file!)
  if (read === null) throw new FieldsealError('OPTIONS_INVALID', `there is no ${file}`)
  return read.keys
}

function tableOf(name: string) {
  const [, schema, table] = /^([^.]+)\.(.+)$/.exec(name) ?? []
  return table === undefined ? { table: name } : { schema, table }
}

function show(terminal: Terminal, report: RestoreKeysReport, { isDry }: { readonly isDry: boolean }): ExitCode {
  const { failed, shredded, reindex, ...counts } = report
  const event = isDry ? 'dry-run' : 'report'
  terminal.event({ event, operation: 'keys restore', ...counts, shredded, reindex, failed: failed.length })
  for (const { tenant, key, error } of failed) {
    terminal.event({ event: 'problem', tenant, key, code: error.code, message: error.message })
    terminal.say(`${error.code}  ${printable(`${tenant} ${key}: ${error.message}`)}`)
  }
  for (const line of wordsOf(report, isDry)) terminal.say(line)
  return failed.length + shredded.length > 0 ? EXIT.problems : EXIT.done
}

function* wordsOf(report: RestoreKeysReport, isDry: boolean): Generator<string> {
  const { inserted, unchanged, updated, renumbered, keptDestroyed, shredded, reindex, failed } = report
  const would = isDry ? 'would be ' : ''
  yield `${counted(inserted, 'key')} ${would}restored, ${unchanged} there already, ${updated} ${would}brought up to date, ${failed.length} left out.`
  if (renumbered > 0)
    yield `${counted(renumbered, 'key')} made since the loss ${would}given other versions: rows under them stay readable.`
  if (keptDestroyed > 0)
    yield `${counted(keptDestroyed, 'key')} of tenants that were shredded ${isDry ? 'would stay' : 'stay'} destroyed.`
  if (shredded.length > 0) {
    yield 'Destroyed in the copy, and in use here. If the tenant is to stay shredded:'
    for (const tenant of shredded) yield `  fieldseal shred --tenant ${shellWord(tenant)}`
  }
  if (reindex.length > 0) {
    yield `Searches ${isDry ? 'would ask' : 'ask'} for what either key for indexes has made. To end that, which gives rows new indexes:`
    for (const tenant of reindex) yield `  fieldseal rotate --purpose index --tenant ${shellWord(tenant)}`
  }
  yield isDry ? 'Nothing was changed yet.' : 'Next: fieldseal verify'
}
