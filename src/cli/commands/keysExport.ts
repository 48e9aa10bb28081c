import { FieldsealError } from '../../errors.js'
import { recordExport } from '../../maintenance/postgres/exportRecord.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { readKeysFile, writeKeysFile } from '../keysFile.js'
import type { CommandContext } from '../loadConfig.js'
import { counted, type Terminal } from '../terminal.js'

export interface ExportArguments {
  readonly file: string
  /** Replaces a file that has keys which the table does not have. */
  readonly force?: boolean
}

/** Writes the keys table into a file: its backup. */
export async function runExport(
  { client, database }: CommandContext,
  terminal: Terminal,
  { file, force }: ExportArguments,
): Promise<ExitCode> {
  const at = new Date()
  const keys = await client.$encryption.exportKeys({ database })
  if (!force) await checkLoss(file, new Set(keys.map(({ id }) => id)))
  await writeKeysFile(file, { exportedAt: at, keys })
  const recorded = await recordExport(database, { at, keys: keys.length }).catch(() => false)
  terminal.event({ event: 'export', file, keys: keys.length, at, recorded })
  terminal.say(`${counted(keys.length, 'key')} written to ${file}, each as the KMS has wrapped it.`)
  if (!recorded)
    terminal.say("The database's user may not note this in the schema fieldseal: doctor will not know of this export.")
  return EXIT.done
}

/** Rows are never deleted, so a table that lacks some has lost them: the last good copy must not go the same way. */
async function checkLoss(file: string, ids: ReadonlySet<string>): Promise<void> {
  if (ids.size === 0) throw refused('the keys table is empty', file)
  const before = await readKeysFile(file)
  const lost = before?.keys.filter(({ id }) => !ids.has(id)).length ?? 0
  if (lost > 0) throw refused(`the keys table has lost ${counted(lost, 'key')} that ${file} has`, file)
}

function refused(what: string, file: string): FieldsealError {
  const message =
    `${what}, so nothing was written: bring back what is lost with \`fieldseal keys restore ${file}\`. If it is meant to be ` +
    'so, say --force, or name another file'
  return new FieldsealError('KEY_MISSING', message)
}
