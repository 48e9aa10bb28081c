import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
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
try {
  console.log(JSON.stringify(fieldEncryption({ schema, kms })(base).$encryption.stats().engine))
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

  /** What the program says of its engine. */
  async function engineOf({ program = 'program.mjs', flags = [] as string[], wanted = '' } = {}): Promise<unknown> {
    const env = { ...process.env, FIELDSEAL_ENGINE: wanted }
    const { stdout, stderr } = await run(process.execPath, [...flags, program], { cwd: folder, env })
    expect(stderr).toBe('')
    return JSON.parse(stdout)
  }

  itWhere(process.platform === 'linux' && process.arch === 'x64')(
    'loads the addon as ECMAScript and as CommonJS',
    async () => {
      expect(await engineOf()).toBe('native')
      expect(await engineOf({ program: 'program.cjs' })).toBe('native')
      expect(await engineOf({ wanted: 'native' })).toBe('native')
    },
  )

  it('uses node:crypto when told to', async () => {
    expect(await engineOf({ wanted: 'node' })).toBe('node')
  })

  it('refuses a value of FIELDSEAL_ENGINE that is none where the extension is made', async () => {
    expect(await engineOf({ wanted: 'fast' })).toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it('falls back to node:crypto, without a word, where Node.js may load no addons', async () => {
    expect(await engineOf({ flags: ['--no-addons'] })).toBe('node')
    expect(await engineOf({ flags: ['--no-addons'], wanted: 'native' })).toEqual(unavailable)
  })

  it.each<[string, () => void]>([
    ['is no binary', () => writeFileSync(join(folder, addon), 'not a binary')],
    ['is of another library', () => writeFileSync(join(folder, addon), readFileSync(someLibrary()))],
    ['is missing', () => rmSync(join(folder, addon))],
  ])('falls back to node:crypto, without a word, where the addon %s', async (_, spoil) => {
    mkdirSync(join(folder, 'prebuilds/linux-x64-glibc'), { recursive: true })
    spoil()
    expect(await engineOf()).toBe('node')
    expect(await engineOf({ program: 'program.cjs' })).toBe('node')
    expect(await engineOf({ wanted: 'native' })).toEqual(unavailable)
  })
})

/** A shared object that is there on this machine and is not ours. */
function someLibrary(): string {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] }
  return report.sharedObjects.find((path) => path.endsWith('.so.6')) ?? process.execPath
}
