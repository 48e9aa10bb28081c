import { type Command, Option } from 'commander'
import { docsAt } from '../../docs.js'
import type { Operation } from '../../maintenance/rows/operation.js'
import type { MaintainArguments } from '../commands/maintain.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand, choosing, positive, whole } from './common.js'
import { parseMaxLag } from './maxLag.js'

type Described = readonly [operation: Operation, summary: string, more: string]

const MAINTENANCE: readonly Described[] = [
  [
    'encrypt',
    'encrypt the plaintext that is stored in encrypted fields, and fill their indexes',
    'Safe beside the running app: it reads small batches by primary key, and writes a row only if nobody changed or ' +
      'locked it meanwhile. @updatedAt stays. Stop it at any time, also with kill -9: the same command goes on where it ' +
      'was. A row that cannot be encrypted is reported and left as it is. A second run changes nothing.',
  ],
  [
    're-encrypt',
    'bring ciphertexts of retired keys under the active one, after `fieldseal rotate`',
    'Reads and writes as encrypt does. Indexes stay as they are: they have a key of their own.',
  ],
  ['reindex', 'make indexes again, after their options were changed', 'Only index columns are written.'],
  [
    'decrypt',
    'put plaintext back, to leave fieldseal',
    'Ciphertext becomes plaintext and indexes become NULL. Mark the fields as ejecting and deploy first.',
  ],
  [
    'verify',
    'read every encrypted value and index, and report what is wrong',
    'Exit code 3 if there is plaintext, a value that cannot be decrypted, or an index that is not of its value.',
  ],
]

export function addMaintenance(program: Command, context: ProgramContext): void {
  for (const described of MAINTENANCE) addOperation(program, context, described)
}

function addOperation(program: Command, context: ProgramContext, [operation, summary, more]: Described): void {
  const command = choosing(addCommand(program, operation, summary, `.\n\n${more}`))
    .option('--dry-run', 'count what would be done, and change nothing')
    .addOption(
      new Option('--on-error <what>', 'leave a row with a problem, or stop there')
        .choices(['skip', 'stop'])
        .default('skip'),
    )
    .option('--rate <rows>', 'the most rows worked on in a second', positive)
    .option(
      '--workers <number>',
      'share the work among so many processes, and with `fieldseal worker` elsewhere',
      whole,
    )
    .addOption(
      new Option('--attempts <number>', 'how often workers try a range while the KMS or the database fails')
        .argParser(whole)
        .default(6),
    )
    .option('--restart', 'begin anew instead of going on with an unfinished run')
  if (operation !== 'verify')
    command.option('--max-lag <time or size>', 'wait while a standby is further behind: 5s, 64MB', parseMaxLag)
  if (operation === 'encrypt')
    command.option('--from <library>', `only what this library has encrypted: ${docsAt('converts.md')}`)
  if (operation === 'decrypt') command.option('--yes', 'do not ask')
  withCommandContext(command, context, async (commandContext, terminal, args: MaintainArguments) => {
    const { runMaintain } = await import('../commands/maintain.js')
    return runMaintain(operation, commandContext, terminal, args)
  })
}
