import { constants } from 'node:os'
import { openDatabase } from './database.js'
import { runDemo } from './demo.js'
import { openKms } from './kms/openKms.js'
import { type DemoOptions, readOptions, USAGE, UsageError } from './options.js'
import { bold, dim, line } from './terminal.js'

const CALLED_BY = {
  ...{ tencent: 'its SDK', aws: 'its SDK', google: 'its SDK', azure: 'its SDK' },
  ...{ vault: 'fetch', pkcs11: 'pkcs11js' },
}

/** What has been opened, and how to close it, the last first. */
const opened: { readonly farewell: string; close(): Promise<void> }[] = []
let closing: Promise<void> | undefined

try {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options.help) line(USAGE)
  else await demonstrate(options)
} catch (error) {
  if (!closing) fail(error)
  await close()
}

async function demonstrate(options: DemoOptions): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted(signal))
  // The reader of a pipe has gone, as in `npm start | head`.
  process.stdout.on('error', () => close().finally(() => process.exit(1)))
  const database = await open(openDatabase(options.databaseUrl, options.keep))
  const kms = await open(openKms(options))
  line(bold('fieldseal: a clinic app on Prisma, whose fields are encrypted in PostgreSQL'))
  line(dim(`   database  ${database.description}`))
  line(dim(`   KMS       ${kms.description}, called by ${CALLED_BY[options.kms]}`))
  const summary = await runDemo(database, kms)
  await close()
  line()
  line(bold(summary))
  line(
    `${[...opened]
      .reverse()
      .map(({ farewell }) => farewell)
      .join(', ')}. Left nothing running.`,
  )
  if (options.keep && !options.address)
    line(dim('Nobody can decrypt that database any more: its KEK went with the emulator.'))
}

async function open<T extends (typeof opened)[number]>(opening: Promise<T>): Promise<T> {
  const thing = await opening
  opened.push(thing)
  return thing
}

function close(): Promise<void> {
  closing ??= (async () => {
    for (const thing of [...opened].reverse()) await thing.close()
  })()
  return closing
}

/** What is still being opened then has a janitor of its own, or ends with this process. */
async function interrupted(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): Promise<void> {
  await close().catch(fail)
  line(`\nstopped by ${signal}; nothing is left running`)
  process.exit(128 + constants.signals[signal])
}

function fail(error: unknown): void {
  const text = error instanceof UsageError ? `${error.message}\n(npm start -- --help tells all options)` : error
  console.error(text)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
