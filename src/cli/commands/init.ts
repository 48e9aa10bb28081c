import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { confirm } from '@clack/prompts'
import { createTwoFilesPatch } from 'diff'
import { type Confirmation, requireConfirmation } from '../confirmation.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { findSchema } from '../init/findSchema.js'
import { type FileChange, hasOldUrl, planInit } from '../init/plan.js'
import { CONFIG_NAMES } from '../loadConfig.js'
import type { Terminal } from '../terminal.js'

export interface InitArguments {
  readonly schema?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const NEXT = `Next:
  1. Mark what is to be encrypted: email String /// @encrypted, and whose a row is: tenantId String /// @tenant
     For rows that are there already: @encrypted(migrating) until they are encrypted. See docs/existing-data.md.
  2. npx prisma generate, then a migration for the keys table, as always
  3. Extend your client with fieldEncryption, and see to fieldseal.config.ts
  4. npx fieldseal status`

const OLD_URL =
  'The datasource names a url, as up to Prisma 6: fieldseal needs Prisma 7.10, which takes it from prisma.config.ts.\n'

const WRITE: Confirmation = {
  unasked: 'nothing was written; say --yes to write this',
  ask: () => confirm({ message: 'Write this?' }),
  declined: 'nothing was written',
}

/** Adds what the project lacks, once that is agreed to. */
export async function runInit(
  root: string,
  terminal: Terminal,
  { schema, dryRun, yes }: InitArguments,
): Promise<ExitCode> {
  const { files, folder } = await findSchema(root, schema)
  const configured = CONFIG_NAMES.some((name) => existsSync(join(root, name)))
  if (hasOldUrl(files)) terminal.say(OLD_URL)
  const changes = planInit({ root, schema: files, folder, configured })
  for (const change of changes) {
    terminal.event({ event: 'change', path: relative(root, change.path), after: change.after })
    terminal.say(diffOf(root, change))
  }
  if (changes.length === 0) {
    terminal.say('Nothing to add: the generator, the model of the keys and the configuration are there.')
    return EXIT.done
  }
  if (dryRun) return EXIT.done
  if (!yes) await requireConfirmation(terminal, WRITE)
  for (const { path, after } of changes) await writeFile(path, after)
  terminal.say(`Wrote ${changes.map(({ path }) => relative(root, path)).join(', ')}.\n${NEXT}`)
  return EXIT.done
}

function diffOf(root: string, { path, before, after }: FileChange): string {
  const name = relative(root, path)
  const patch = createTwoFilesPatch(
    before === null ? '/dev/null' : name,
    name,
    before ?? '',
    after,
    undefined,
    undefined,
    { context: 2 },
  )
  return patch.replace(/^(Index: .*\n)?=+\n/, '')
}
