import { text } from '@clack/prompts'
import { quoted } from '../../errors.js'
import type { WalkReport } from '../../maintenance/keys/keyWalk.js'
import { unknownTenant } from '../../maintenance/keys/shred.js'
import { printable, printableLines } from '../../printable.js'
import { type Confirmation, requireConfirmation } from '../confirmation.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { onInterrupt } from '../interrupt.js'
import type { CommandContext } from '../loadConfig.js'
import { count, counted, type Terminal } from '../terminal.js'

export interface WalkArguments {
  readonly tenant?: readonly string[]
  readonly rate?: number
  readonly dryRun?: boolean
}

/** Rotates or rewraps keys; no row of a model changes. */
export async function runWalk(
  operation: 'rotate' | 'rewrap',
  context: CommandContext,
  terminal: Terminal,
  { tenant, rate, dryRun }: WalkArguments,
): Promise<ExitCode> {
  if (dryRun) return countKeys(operation, context, terminal, tenant)
  const interrupt = onInterrupt((message) => terminal.say(message))
  try {
    const report = await context.client.$encryption[operation]({
      ...(tenant === undefined ? {} : { tenants: tenant }),
      ...(rate === undefined ? {} : { rate }),
      signal: interrupt.signal,
      onProgress: ({ done, total, outcome, tenant: owner, key }) => {
        terminal.event({ event: 'key', operation, tenant: owner, key, outcome, done, total })
        terminal.progress({ name: operation, done, total, unit: 'key' })
      },
    })
    terminal.settle()
    return concludeWalk(operation, terminal, report, tenant)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    terminal.settle()
    terminal.say('Interrupted. What was done is done; the same command does the rest.')
    return EXIT.interrupted
  } finally {
    terminal.settle()
    interrupt.dispose()
  }
}

async function countKeys(
  operation: string,
  { client, database, tenants }: CommandContext,
  terminal: Terminal,
  chosen: readonly string[] | undefined,
): Promise<ExitCode> {
  const { keys } = await client.$encryption.survey({ database, tenants, models: [] })
  const usable = keys.filter(({ state, purpose }) =>
    operation === 'rotate' ? state === 'active' && purpose === 'encrypt' : state !== 'destroyed',
  )
  const wanted = usable.filter(({ tenant }) => chosen === undefined || chosen.includes(tenant)).length
  terminal.event({ event: 'dry-run', operation, keys: wanted })
  terminal.say(`${operation} would see to ${counted(wanted, 'key')}. A dry run: nothing was changed.`)
  return EXIT.done
}

function concludeWalk(
  operation: 'rotate' | 'rewrap',
  terminal: Terminal,
  report: WalkReport,
  chosen: readonly string[] | undefined,
): ExitCode {
  const { changed, unchanged, failed } = report
  terminal.event({ event: 'report', operation, changed, unchanged, failed: failed.length })
  for (const { tenant, key, error } of failed) {
    terminal.event({ event: 'problem', tenant, key, code: error.code, message: error.message })
    terminal.say(`${error.code}  ${printable(`${tenant} ${key}: ${error.message}`)}`)
  }
  terminal.say(`${counted(changed, 'key')} changed, ${count(unchanged)} unchanged, ${count(failed.length)} failed.`)
  if (chosen && changed + unchanged + failed.length === 0) {
    terminal.say('No key of these tenants was found. Are their ids right?')
    return EXIT.problems
  }
  if (operation === 'rotate' && changed > 0)
    terminal.say('New values are under the new keys. Next, for the old ones: fieldseal re-encrypt')
  return failed.length > 0 ? EXIT.problems : EXIT.done
}

export interface ShredArguments {
  readonly tenant: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Destroys the keys of a tenant, if that is really meant. */
export async function runShred(
  context: CommandContext,
  terminal: Terminal,
  { tenant, dryRun, yes }: ShredArguments,
): Promise<ExitCode> {
  if (dryRun) return countLost(context, terminal, tenant)
  if (!yes) await requireConfirmation(terminal, lossOf(tenant))
  const receipt = await context.client.$encryption.shred(tenant)
  terminal.event({ event: 'receipt', ...receipt })
  terminal.say(JSON.stringify(receipt, null, 2))
  const { notReached } = receipt
  if (notReached.length > 0) {
    terminal.say(
      `Not destroyed: values of ${notReached.join(', ')}, which the KMS itself encrypts. Delete these rows, or the KEK.`,
    )
  }
  terminal.say('Keep this receipt. Backups of the keys table can still open the data: destroy or rewrite them too.')
  return EXIT.done
}

/**
 * What a tenant would lose.
 *
 * @throws FieldsealError `KEY_NOT_FOUND` for a tenant that has no keys, as the shred itself does
 */
async function countLost(
  { client, database, tenants }: CommandContext,
  terminal: Terminal,
  tenant: string,
): Promise<ExitCode> {
  const { keys, fields } = await client.$encryption.survey({ database, tenants, tenant })
  if (keys.length === 0) throw unknownTenant(tenant)
  const alive = keys.filter(({ state }) => state !== 'destroyed').length
  const lost = fields.filter(({ ciphertext }) => ciphertext > 0)
  const values = lost.reduce((sum, { ciphertext }) => sum + ciphertext, 0)
  terminal.event({ event: 'dry-run', operation: 'shred', tenant, keys: alive, values })
  const name = ({ model, field, ciphertext }: (typeof lost)[number]) => `  ${model}.${field}: ${count(ciphertext)}`
  terminal.say(
    `shred would destroy ${counted(alive, 'key')}; ${counted(values, 'value')} could not be read again${lost.length > 0 ? ':' : '.'}`,
  )
  for (const one of lost) terminal.say(name(one))
  terminal.say('A dry run: nothing was changed.')
  return EXIT.done
}

function lossOf(tenant: string): Confirmation {
  const message = `Everything that is encrypted for ${quoted(tenant)} will be unreadable for good. Type the tenant's id to go on`
  return {
    unasked: 'shred destroys all data of a tenant for good; say --yes if that is meant',
    ask: async () => (await text({ message })) === tenant,
    declined: 'nothing was changed',
  }
}

export interface ExportMetadataArguments {
  readonly tenant?: string
  readonly json?: boolean
}

/** Lists keys without what is wrapped, for an inventory: a JSON document, or with `--json` a key a line. */
export async function runExportMetadata(
  { client, database }: CommandContext,
  stdout: NodeJS.WriteStream,
  { tenant, json }: ExportMetadataArguments,
): Promise<ExitCode> {
  const { keys } = await client.$encryption.survey({ database, models: [], tenant })
  const lines = json
    ? keys.map((key) => JSON.stringify({ event: 'metadata', ...key }))
    : [JSON.stringify(keys, null, 2)]
  for (const line of lines) stdout.write(`${printableLines(line)}\n`)
  return EXIT.done
}
