import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach } from '@jest/globals'

const program = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))

/** An empty project for each test, and `fieldseal init` as a person runs it there, who cannot be asked. */
export function initProject() {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fieldseal-init-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function run(...args: string[]) {
    return runWith({}, ...args)
  }
  function runWith(variables: NodeJS.ProcessEnv, ...args: string[]) {
    const { DATABASE_URL: _, FIELDSEAL_KEY: __, ...env } = process.env
    const options = { cwd: folder, env: { ...env, ...variables }, encoding: 'utf8' } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], options)
    return { code: status, output: stdout, errors: stderr }
  }
  const at = (path = '') => join(folder, path)
  return {
    /** The path of something in it. */
    at,
    read: (path: string) => readFileSync(at(path), 'utf8'),
    write(path: string, text: string): void {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), text)
    },
    init: (...args: string[]) => run('init', ...args),
    /** The same with more in the environment. */
    initWith: (variables: NodeJS.ProcessEnv, ...args: string[]) => runWith(variables, 'init', ...args),
    /** Another command there, whose environment names no database. */
    run,
  }
}
