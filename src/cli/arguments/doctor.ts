import type { Command } from 'commander'
import type { DoctorArguments } from '../commands/doctor.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand } from './common.js'

export function addDoctor(program: Command, context: ProgramContext): void {
  const summary = 'look for what is wrong or risky'
  const command = addCommand(
    program,
    'doctor',
    summary,
    ': plaintext that is left, a KMS that does not answer, indexes that are missing or slow, old ' +
      'keys, values that also stand in the clear elsewhere, and names of fields that look as if they should be marked. ' +
      'Exit code 3 if there is a problem.',
  ).option('--strict', 'risks count as problems')
  withCommandContext(command, context, async (commandContext, terminal, args: DoctorArguments) => {
    const { runDoctor } = await import('../commands/doctor.js')
    return runDoctor(commandContext, terminal, args)
  })
}
