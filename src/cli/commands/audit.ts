import type { AuditLog, AuditLogFinding } from '../../auditLog/auditLog.js'
import { AUDIT_LOG_SQL } from '../../auditLog/auditLogTable.js'
import { FieldsealError } from '../../errors.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import type { CommandContext } from '../loadConfig.js'
import { count, counted, type Terminal } from '../terminal.js'

export interface AuditInitArguments {
  readonly sql?: boolean
}

export interface AuditVerifyArguments {
  readonly end?: string
  readonly pruned?: boolean
}

/** Findings, shown one by one. */
const SHOWN = 20

export async function runAuditInit(
  context: CommandContext,
  terminal: Terminal,
  { sql }: AuditInitArguments,
): Promise<ExitCode> {
  if (sql) {
    terminal.event({ event: 'sql', sql: AUDIT_LOG_SQL })
    terminal.say(AUDIT_LOG_SQL)
    return EXIT.done
  }
  await logOf(context).init()
  terminal.event({ event: 'audit-init' })
  terminal.say(
    'The table fieldseal.audit_log is there. The role of the app needs SELECT and INSERT on it, and no more.',
  )
  return EXIT.done
}

export async function runAuditVerify(
  context: CommandContext,
  terminal: Terminal,
  { end: known, pruned }: AuditVerifyArguments,
): Promise<ExitCode> {
  const check = await logOf(context).verify({ ...(known !== undefined && { end: known }), ...(pruned && { pruned }) })
  const { entries, end, findings } = check
  terminal.event({ event: 'audit', ...check })
  for (const finding of findings.slice(0, SHOWN)) terminal.say(`${WORDS[finding.kind](placeOf(finding))}.`)
  if (findings.length > SHOWN)
    terminal.say(`… and ${counted(findings.length - SHOWN, 'place')} more; --json lists all.`)
  terminal.say(
    `${entries === 1 ? '1 entry' : `${count(entries)} entries`}, ${findings.length === 0 ? 'all as they were written' : 'not all as they were written'}.`,
  )
  if (known === undefined) terminal.say('Whether the newest entries are there, or any, is not known without --end.')
  if (end !== undefined)
    terminal.say(
      findings.length === 0
        ? `Keep this end for the next time: --end ${end}`
        : `Once this is explained, go on from this end: --end ${end}`,
    )
  return findings.length === 0 ? EXIT.done : EXIT.problems
}

const WORDS: { readonly [kind in AuditLogFinding['kind']]: (place: string) => string } = {
  changed: (place) => `Changed, or written without the key: ${place}`,
  missing: (place) => `Not there: ${place}`,
  replaced: (place) => `Genuine, but what stands before it is not what stood there: ${place}`,
  'unknown-key': (place) => `Under a key that is not given ("formerKeys" of auditLog): ${place}`,
}

function placeOf({ from, to }: AuditLogFinding): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`
}

function logOf({ auditLog }: CommandContext): AuditLog {
  if (auditLog) return auditLog
  const message =
    'the configuration names no audit log: give what auditLog() of fieldseal/audit-log gave as "auditLog" in fieldseal.config.ts'
  throw new FieldsealError('OPTIONS_INVALID', message)
}
