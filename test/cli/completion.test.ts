import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const program = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))

const SCHEMA = `
datasource db {
  provider = "postgresql"
}
/// Somebody.
model User {
  id    String @id
  /// Where letters go.
  /// @encrypted(bind: id)
  email String? // no /// @blindIndex(email)
  name  String /// @encrypted
  plain String @default("x") // /// @encrypted
  title String /// In prose, encrypted.
}
model Post {
  id String @id
}
`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fieldseal completion '))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/fieldseal'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(join(folder, 'bin/fieldseal'), 0o755)
  writeFileSync(join(folder, 'schema.prisma'), SCHEMA)
})
afterAll(() => rmSync(folder, { recursive: true }))

async function run(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const PATH = `${join(folder, 'bin')}:${process.env.PATH}`
  const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env: { ...process.env, ...env, PATH } })
  return stdout
}

/** What a real bash gives for a line with the cursor at its end, by the script that it sources. */
async function inBash(line: string): Promise<string[]> {
  const words = line.split(' ')
  const ask = `
    source <(fieldseal completion bash)
    complete -p fieldseal
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=\${#COMP_LINE}
    _fieldseal_completion
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const [registered, ...found] = (await run('bash', ['--norc', '-c', ask, 'bash', ...words])).trimEnd().split('\n')
  expect(registered).toBe('complete -o default -F _fieldseal_completion fieldseal')
  return found.filter(Boolean)
}

const asked = (shell: string, line: string) =>
  run('fieldseal', ['completion-server', '--', ...line.split(' ')], {
    ...{ SHELL: shell, COMP_LINE: line, COMP_POINT: String(line.length), COMP_CWORD: '1' },
  })

describe('the completion of the command line', () => {
  it.each([
    ['fieldseal re', ['re-encrypt', 'reindex', 'rewrap']],
    ['fieldseal keys ', ['export-metadata', 'export', 'restore', 'help']],
    ['fieldseal completion ', ['bash', 'zsh', 'fish']],
    ['fieldseal encrypt --r', ['--rate', '--restart']],
    ['fieldseal encrypt --restart --r', ['--rate']],
    ['fieldseal encrypt --on-error ', ['skip', 'stop']],
    ['fieldseal encrypt --on-error skip --dr', ['--dry-run']],
    ['fieldseal verify --model ', ['User']],
    ['fieldseal verify --field ', ['User.email', 'User.name']],
    ['fieldseal verify --field User.name User.e', ['User.email']],
    ['fieldseal verify --field User.name --fi', ['--field']],
    ['fieldseal verify --field=User.e', ['--field=User.email']],
    ['fieldseal advise User.', ['User.email', 'User.name']],
    ['fieldseal advise --sample 500 ', ['User.email', 'User.name']],
    ['fieldseal advise User.email ', []],
    ['fieldseal advise User.email --h', ['--html', '--help']],
    ['fieldseal encrypt --tenant ', []],
    ['fieldseal rotate --tenant acme --dry-run', ['--dry-run']],
    ['fieldseal nothing-of-ours --x ', expect.arrayContaining(['encrypt'])],
  ])('knows in bash what follows %j', async (line, expected) => {
    expect(await inBash(line)).toEqual(expected)
  })

  it('leaves files to the shell', async () => {
    expect(await inBash('fieldseal status --html ')).toEqual([])
    expect(await asked('zsh', 'fieldseal status --html ')).toBe('__tabtab_complete_files__\n')
    expect(await asked('fish', 'fieldseal init --schema ')).toBe('__tabtab_complete_files__\n')
  })

  it('explains in zsh and fish', async () => {
    expect(await asked('zsh', 'fieldseal ')).toContain('verify:read every encrypted value')
    expect(await asked('fish', 'fieldseal ')).toContain('verify\tread every encrypted value')
  })

  it('has no names where there is no schema, and is silent about that', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'fieldseal-none-'))
    const env = {
      ...process.env,
      SHELL: 'zsh',
      COMP_LINE: 'fieldseal verify --model ',
      COMP_POINT: '25',
      COMP_CWORD: '3',
    }
    const ask = [program, 'completion-server', '--', 'fieldseal', 'verify', '--model', '']
    expect(await promisify(execFile)(process.execPath, ask, { cwd: empty, env })).toEqual({ stdout: '', stderr: '' })
    rmSync(empty, { recursive: true })
  })

  it('runs nothing that stands in the line', async () => {
    for (const shell of ['bash', 'zsh', 'fish'])
      expect(await run('fieldseal', ['completion', shell])).not.toMatch(/\beval\s+(env|\$)/)
    await inBash('fieldseal encrypt --tenant $(touch\tevil) ;touch\tevil --')
    expect(await run('ls', [])).not.toContain('evil')
  })

  it('stands in the help, without what only scripts ask', async () => {
    const help = await run('fieldseal', ['--help'])
    expect(help).toContain('completion <shell>')
    expect(help).not.toContain('completion-server')
  })
})
