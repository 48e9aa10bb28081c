import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { installPacked, type Workspace } from '../package/packed.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { runSql } from '../support/sql.js'

const run = promisify(execFile)
const MINUTES = 60_000

let workspace: Workspace
let database: TestDatabase
/** Where nothing is installed. */
let elsewhere: string
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  workspace = await installPacked(resolve('examples/esbuild'))
  elsewhere = await mkdtemp(join(tmpdir(), 'fieldseal-bundle-'))
  database = await createDatabase({ schema: resolve('examples/esbuild/prisma/schema.prisma') })
  environment = { DATABASE_URL: database.url, FIELDSEAL_KEY: randomBytes(32).toString('base64') }
  const building = { PRISMA_SCHEMA_ENGINE_BINARY: resolve('scripts/schema-engine.mjs'), CHECKPOINT_DISABLE: '1' }
  await workspace.command('.', building, 'npm', 'run', 'build')
  const whole = ['--bundle', '--platform=node', '--external:pg-native', `--outfile=${join(elsewhere, 'clinic.cjs')}`]
  await workspace.command('.', {}, 'esbuild', 'src/clinic.ts', ...whole)
  await workspace.command('.', {}, 'npm', 'prune', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund')
}, 15 * MINUTES)
afterAll(async () => {
  await database?.drop()
  for (const folder of [elsewhere, workspace?.folder]) if (folder) await rm(folder, { recursive: true })
}, MINUTES)

/** Runs a bundle of the app, with whichever engine it finds. */
async function clinic(bundle: string, args: readonly string[], engine?: string) {
  const { FIELDSEAL_ENGINE, ...inherited } = process.env
  const env = { ...inherited, ...environment, ...(engine && { FIELDSEAL_ENGINE: engine }) }
  const { stdout, stderr } = await run(process.execPath, [bundle, ...args], { env })
  return { said: stdout.trim(), warned: stderr }
}

describe('the command-line app, bundled by esbuild with the packed package', () => {
  it(
    'is one file, which encrypts by the addon with the packages that it names beside it',
    async () => {
      expect(await readdir(join(workspace.folder, 'dist'))).toEqual(['clinic.cjs'])
      const bundle = join(workspace.folder, 'dist/clinic.cjs')
      expect(await clinic(bundle, ['engine'])).toEqual({ said: 'native', warned: '' })
      const { said: id } = await clinic(bundle, ['admit', 'acme', 'Ada', 'Ada@example.com'])
      expect(await clinic(bundle, ['find', 'acme', 'ada@example.com'])).toEqual({ said: `${id} Ada`, warned: '' })
      expect(await clinic(bundle, ['find', 'globex', 'ada@example.com'])).toEqual({ said: '', warned: '' })
      const [row] = await runSql(database.url, 'SELECT name, email FROM "Patient"')
      for (const value of Object.values(row!)) expect(value).toMatch(/^fs1\./)
    },
    2 * MINUTES,
  )

  it(
    'with fieldseal in the bundle encrypts the same without the addon, and says so unless it is told to',
    async () => {
      const bundle = join(elsewhere, 'clinic.cjs')
      const { said: id } = await clinic(join(workspace.folder, 'dist/clinic.cjs'), [
        'admit',
        'navy',
        'Grace',
        'g@example.com',
      ])
      const { said, warned } = await clinic(bundle, ['find', 'navy', 'G@example.com'])
      expect(said).toBe(`${id} Grace`)
      expect(warned).toContain('[FIELDSEAL_ENGINE_FALLBACK]')
      expect(warned).toContain('a bundler has to keep it external')
      expect(await clinic(bundle, ['engine'], 'node')).toEqual({ said: 'node', warned: '' })
      const refused = await clinic(bundle, ['engine'], 'native').catch(({ stderr }) => stderr)
      expect(refused).toContain(
        'OPTIONS_INVALID: FIELDSEAL_ENGINE asks for the native engine, which does not load here',
      )
    },
    2 * MINUTES,
  )
})
