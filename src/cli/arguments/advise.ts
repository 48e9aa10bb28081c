import { Argument, type Command, InvalidArgumentError } from 'commander'
import type { AdviseArguments } from '../commands/advise.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand } from './common.js'

const MORE = `: whoever has stolen a copy of the database and knows how such values are distributed, which would they guess?

It decrypts a sample of the values, in this process only, and attacks each index that there could be; nothing is sent anywhere, and no value is printed. Nothing is changed.`

export function addAdvise(program: Command, context: ProgramContext): void {
  const summary = 'say what each index over a field would give away, and which to have'
  const command = addCommand(program, 'advise', summary, MORE)
    .addArgument(new Argument('<Model.field>', 'the encrypted field'))
    .option('--tenant <id>', 'only the rows of this tenant; of the one with most rows unless given')
    .option('--sample <values>', 'the most values to decrypt; 20000 unless given', sampleSize)
    .option('--html <file>', 'also write a page with a plot, to send or print')
  withCommandContext(command, context, async (commandContext, terminal, args: AdviseArguments) => {
    const { runAdvise } = await import('../commands/advise.js')
    return runAdvise(command.args[0]!, commandContext, terminal, args)
  })
}

function sampleSize(text: string): number {
  if (/^\d{2,7}$/.test(text) && Number(text) >= 10) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 10 to 9999999.')
}
