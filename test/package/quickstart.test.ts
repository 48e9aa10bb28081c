import { execFile } from 'node:child_process'
import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase } from '../support/database.js'
import { type Step, stepsOf } from '../support/documentSteps.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { packPackage } from './packed.js'

const run = promisify(execFile)
const MINUTES = 60_000
const EMPTY = fileURLToPath(new URL('../typeorm/fixtures/empty.prisma', import.meta.url))
const PSQL = fileURLToPath(new URL('psql.mjs', import.meta.url))

/** What the text has, and a test has otherwise. */
const ADDRESS = 'postgresql://postgres:secret@127.0.0.1:5432/postgres'
const MODULE = 'npm pkg set type=module\n'

let folder: string
let tarball: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fieldseal-quickstart-'))
  tarball = join(folder, (await packPackage(folder)).filename)
  await mkdir(join(folder, 'bin'))
  const hasPsql = await run('psql', ['--version']).catch(() => undefined)
  if (!hasPsql) await copyFile(PSQL, join(folder, 'bin/psql'))
}, 5 * MINUTES)
afterAll(async () => {
  if (folder) await rm(folder, { recursive: true })
}, MINUTES)

/** As a shell of somebody who has just come has it, but for what is loaded from elsewhere than npm. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(NODE_ENV|NODE_OPTIONS|DATABASE_URL|FIELDSEAL_.*|npm_(package|lifecycle)_.*|npm_config_local_prefix)$/.test(
        name,
      ),
  )
  return {
    ...Object.fromEntries(inherited),
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    PRISMA_SCHEMA_ENGINE_BINARY: resolve('scripts/schema-engine.mjs'),
    CHECKPOINT_DISABLE: '1',
    npm_config_ignore_scripts: 'true',
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
  }
}

/** Ciphertexts and the width of columns are never the same. */
const comparable = (output: string) =>
  output
    .replace(/fs1\.[\w-]+/g, 'fs1.…')
    .replace(/[\s+-]+/g, ' ')
    .trim()

/** Does what the text says, in a folder; what it shows, and what was seen there. */
async function follow(steps: readonly Step[], start: string, replace: (commands: string) => string) {
  const seen: { readonly shown: string; readonly printed: string }[] = []
  let [cwd, printed] = [start, '']
  const leave = join(start, 'where')
  for (const step of steps) {
    if (step.kind === 'see') seen.push({ shown: comparable(step.output), printed: comparable(printed) })
    else if (step.kind === 'write') await (step.append ? appendFile : writeFile)(join(cwd, step.path), step.text)
    else {
      const script = `set -e\n${replace(step.commands)}\npwd > '${leave}'`
      printed = (await run('bash', ['-c', script], { cwd, env: environment() })).stdout
      cwd = (await readFile(leave, 'utf8')).trim()
    }
  }
  return seen
}

describe('README.md’s five minutes with a local key, word for word in an empty folder', () => {
  // Nobody pulls images for a test: it has a PostgreSQL.
  const steps = stepsOf('README.md', 'Five minutes with a local key').filter(
    (step) => step.kind !== 'run' || !step.commands.startsWith('docker run '),
  )

  it.each([
    ['an ECMAScript project', (commands: string) => commands],
    ['a CommonJS project', (commands: string) => commands.replace(MODULE, '')],
  ])(
    'lead to ciphertext in psql, in %s',
    async (name, asKind) => {
      const database = await createDatabase({ schema: EMPTY })
      onTestFinished(() => database.drop())
      const start = await mkdtemp(join(folder, 'start-'))
      const seen = await follow(steps, start, (commands) =>
        asKind(commands).replaceAll(ADDRESS, database.url).replace('npm install fieldseal', `npm install ${tarball}`),
      )
      expect(seen).toHaveLength(2)
      for (const { shown, printed } of seen) expect(printed).toBe(shown)
      expect(seen[1]!.printed.match(/fs1\./g)).toHaveLength(2)
      const { type } = JSON.parse(await readFile(join(start, 'fieldseal-try/package.json'), 'utf8'))
      expect(type === 'module').toBe(name.includes('ECMAScript'))
    },
    10 * MINUTES,
  )
})
