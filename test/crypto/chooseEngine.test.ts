import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { build } from 'esbuild'
import { chooseEngine, currentEngine } from '../../src/crypto/chooseEngine.js'
import { refusal } from '../support/refusal.js'
import { itWhere } from '../support/where.js'

const run = promisify(execFile)
const PROGRAM = `
import { fieldEncryption } from 'fieldseal/prisma'
const kms = { name: 'none', generate: async () => {}, unwrap: async () => {} }
const schema = { format: 4, models: {}, keysModel: 'Key' }
const base = {
  $extends: (extension) => ({ ...extension.client, _originalClient: base, _extensions: { head: { extension } } }),
  _runtimeDataModel: { models: {} },
}
const events = []
try {
  const clients = [1, 2].map(() => fieldEncryption({ schema, kms, onEvent: (event) => events.push(event) })(base))
  const { engine, engineFallback: why = null } = clients[1].$encryption.stats()
  console.log(JSON.stringify({ engine, why, events }))
} catch (error) {
  console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message }))
}
`

describe('the choice of an engine', () => {
  it('takes the native one where its binary was shipped, and node:crypto elsewhere', () => {
    const shipped = process.platform === 'linux' && process.arch === 'x64'
    expect(chooseEngine(undefined).name).toBe(shipped ? 'native' : 'node')
    expect(chooseEngine('').name).toBe(shipped ? 'native' : 'node')
  })

  it('is made once in a process, as FIELDSEAL_ENGINE says', () => {
    expect(currentEngine()).toBe(chooseEngine(process.env.FIELDSEAL_ENGINE))
    expect(currentEngine()).toBe(currentEngine())
  })

  it('gives node:crypto when asked for it', () => {
    expect(chooseEngine('node').name).toBe('node')
  })

  it.each(['Native', 'openssl', ' '])('refuses FIELDSEAL_ENGINE=%j, naming what it may be', async (wanted) => {
    expect(await refusal(async () => chooseEngine(wanted))).toMatchObject({
      code: 'OPTIONS_INVALID',
      message: `FIELDSEAL_ENGINE is ${JSON.stringify(wanted)}: write "native" or "node", or leave it out`,
    })
  })
})

/** The built library, in a folder where the addon can be taken away or spoilt. */
describe('the built library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-engine-'))
  const addon = 'prebuilds/linux-x64-glibc/fieldseal.node'
  const unavailable = {
    name: 'FieldsealError',
    code: 'OPTIONS_INVALID',
    message: 'FIELDSEAL_ENGINE asks for the native engine, which does not load here: leave it out, or write "node"',
  }

  beforeAll(async () => {
    await run(process.execPath, ['scripts/setup.mjs'])
    for (const name of ['package.json', 'dist', 'prebuilds']) cpSync(name, join(folder, name), { recursive: true })
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'program.mjs'), PROGRAM)
    writeFileSync(join(folder, 'program.cjs'), PROGRAM.replace(/import (.*) from ('.*')/, 'const $1 = require($2)'))
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  /** What the program says of its engine, and what Node.js prints beside. */
  async function told({ program = 'program.mjs', flags = [] as string[], wanted = '' } = {}) {
    const env = { ...process.env, FIELDSEAL_ENGINE: wanted }
    const { stdout, stderr } = await run(process.execPath, [...flags, program], { cwd: folder, env })
    return { said: JSON.parse(stdout), stderr }
  }

  /** The same where there is nothing to be heard of. */
  async function quietly(how: Parameters<typeof told>[0] = {}): Promise<unknown> {
    const { said, stderr } = await told(how)
    expect(stderr).toBe('')
    return said
  }

  /** What there is to be heard where the addon does not load for a reason: both clients' events, and one warning. */
  async function expectFallback(why: unknown, how: Parameters<typeof told>[0] = {}): Promise<void> {
    const { said, stderr } = await told(how)
    const event = { type: 'engine.fallback', reason: why }
    expect(said).toEqual({ engine: 'node', why, events: [event, event] })
    expect(stderr).toContain(`its addon does not load: ${said.why}. FIELDSEAL_ENGINE=node does without it`)
    expect(stderr.match(/FIELDSEAL_ENGINE_FALLBACK/g)).toHaveLength(1)
  }

  const native = { engine: 'native', why: null, events: [] }
  const declined = { engine: 'node', why: null, events: [] }

  itWhere(process.platform === 'linux' && process.arch === 'x64')(
    'loads the addon as ECMAScript and as CommonJS',
    async () => {
      expect(await quietly()).toEqual(native)
      expect(await quietly({ program: 'program.cjs' })).toEqual(native)
      expect(await quietly({ wanted: 'native' })).toEqual(native)
    },
  )

  itWhere(process.platform === 'linux' && process.arch === 'x64')(
    "loads the addon from a bundle that esbuild has made, where the documents' recipe keeps it external",
    async () => {
      const stdin = { contents: PROGRAM, resolveDir: folder }
      const outfile = join(folder, 'bundled.mjs')
      await build({ stdin, outfile, external: ['fieldseal'], bundle: true, platform: 'node', format: 'esm' })
      expect(readFileSync(outfile, 'utf8')).toContain('from "fieldseal/prisma"')
      expect(await quietly({ program: 'bundled.mjs' })).toEqual(native)
    },
  )

  it('uses node:crypto when told to, and says nothing of it', async () => {
    expect(await quietly({ wanted: 'node' })).toEqual(declined)
    expect(await quietly({ wanted: 'node', flags: ['--no-addons'] })).toEqual(declined)
  })

  it('refuses a value of FIELDSEAL_ENGINE that is none where the extension is made', async () => {
    expect(await quietly({ wanted: 'fast' })).toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it('falls back to node:crypto, and says why, where Node.js may load no addons', async () => {
    await expectFallback(expect.stringContaining('disabled'), { flags: ['--no-addons'] })
    expect(await quietly({ flags: ['--no-addons'], wanted: 'native' })).toEqual(unavailable)
  })

  it('leaves the warning out where Node.js is told to', async () => {
    const flags = ['--no-addons', '--disable-warning=FIELDSEAL_ENGINE_FALLBACK']
    expect(await quietly({ flags })).toMatchObject({ engine: 'node' })
  })

  it.each<[string, string, () => void]>([
    ['is no binary', 'fieldseal.node', () => writeFileSync(join(folder, addon), 'not a binary')],
    ['is of another library', '', () => writeFileSync(join(folder, addon), readFileSync(someLibrary()))],
    ['is of another processor', 'fieldseal.node', () => cpSync(`prebuilds/${ANOTHER}`, join(folder, addon))],
    ['is missing', 'its binary is missing from the installed package', () => rmSync(join(folder, addon))],
  ])('falls back to node:crypto, and says why, where the addon %s', async (_, why, spoil) => {
    mkdirSync(join(folder, 'prebuilds/linux-x64-glibc'), { recursive: true })
    spoil()
    await expectFallback(expect.stringContaining(why))
    await expectFallback(expect.stringContaining(why), { program: 'program.cjs' })
    expect(await quietly({ wanted: 'native' })).toEqual(unavailable)
  })
})

const ANOTHER = 'linux-arm64-glibc/fieldseal.node'

/** A shared object that is there on this machine and is not ours. */
function someLibrary(): string {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] }
  return report.sharedObjects.find((path) => path.endsWith('.so.6')) ?? process.execPath
}
