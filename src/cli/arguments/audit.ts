import type { Command } from 'commander'
import type { AuditInitArguments, AuditVerifyArguments } from '../commands/audit.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand } from './common.js'

export function addAudit(program: Command, context: ProgramContext): void {
  const audit = addCommand(program, 'audit', 'the audit log in the database', ' ("auditLog" in the configuration).')
  const init = audit.command('init').description('Make the table of the audit log, fieldseal.audit_log.')
  init.option('--sql', 'print the SQL that does, and change nothing')
  withCommandContext(init, context, async (commandContext, terminal, args: AuditInitArguments) => {
    const { runAuditInit } = await import('../commands/audit.js')
    return runAuditInit(commandContext, terminal, args)
  })
  const verify = audit.command('verify').description(VERIFY)
  verify.option('--end <sequence:mac>', 'the end that the command printed the last time')
  verify.option('--pruned', 'entries up to that end were deleted on purpose')
  withCommandContext(verify, context, async (commandContext, terminal, args: AuditVerifyArguments) => {
    const { runAuditVerify } = await import('../commands/audit.js')
    return runAuditVerify(commandContext, terminal, args)
  })
}

const VERIFY = `Read the audit log, and find entries that were changed, taken out, put in or put elsewhere.

It prints the log's end. Keep that where the database's users cannot write, and give it as --end the next time: then it is also found if the newest entries, or all, were cut off. Exit code 3 if something is wrong.`
