import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { onTestFinished } from '../support/onTestFinished.js'
import { initProject } from './initProject.js'
import { type PseudoTerminal, pseudoTerminal } from './pseudoTerminal.js'

const program = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))

const SCHEMA = `generator client {
  provider = "prisma-client"
  output   = "../src/generated/prisma"
}

datasource db {
  provider = "postgresql"
}

model User {
  id       String  @id
  tenantId String
  email    String
  phone    String?
  note     String?
}
`

const FIELDS = 'Which fields are to be encrypted?'
const INDEXES = 'Which of them are searched by equal values?'
const ROWS = 'Are there rows already?'
const TENANTS = 'Whose are the rows?'
const KMS = 'Whose KMS wraps the keys?'
const WRITE = 'Write this?'

describe('the questions of fieldseal init, in a terminal', () => {
  const { at, read, write } = initProject()

  function ask(columns = 80, ...options: string[]): PseudoTerminal {
    const words = [process.execPath, program, 'init', ...options]
    const terminal = pseudoTerminal(words, { columns, cwd: at(), env: process.env })
    onTestFinished(terminal.kill)
    return terminal
  }

  it('take answers from keys, and come once', async () => {
    write('prisma/schema.prisma', SCHEMA)
    const first = ask()
    await first.sees(FIELDS)
    first.press('down', 'space', 'down', 'space', 'enter') // not the phone, but the note
    await first.sees(INDEXES)
    first.press('enter')
    await first.sees(ROWS)
    first.press('left', 'enter')
    await first.sees(TENANTS)
    first.press('enter')
    await first.sees(KMS)
    first.press('down', 'down', 'enter')
    await first.sees(WRITE)
    expect(first.shown()).toContain('+  email    String /// @encrypted(migrating)')
    expect(read('prisma/schema.prisma')).toBe(SCHEMA)
    first.press('enter')
    expect(await first.ended).toBe(0)
    expect(read('prisma/schema.prisma')).toContain(`  tenantId String /// @tenant
  email    String /// @encrypted(migrating)
  emailIndex String? /// @blindIndex(email, normalize: [trim, lowercase])
  phone    String?
  note     String? /// @encrypted(migrating)
`)
    expect(read('fieldseal.config.ts')).toContain('awsKms({')

    const second = ask()
    expect(await second.ended).toBe(0)
    expect(second.shown()).toMatch(/^Nothing to add/)
  }, 120_000)

  it('leave all as it was after Ctrl-C or a no, wherever that comes', async () => {
    write('prisma/schema.prisma', SCHEMA)
    const early = ask()
    await early.sees(FIELDS)
    early.press('interrupt')
    expect(await early.ended).toBe(130)
    expect(early.shown()).toContain('Stopped: nothing was written.')

    const answers = ['--fields', 'User.email', '--no-blind-indexes', '--no-migrating', '--tenant-column', 'tenantId']
    const late = ask(80, ...answers, '--kms', 'local')
    await late.sees(WRITE)
    expect(late.shown()).toMatch(/^--- prisma/)
    late.press('interrupt')
    expect(await late.ended).toBe(130)

    const declined = ask(80, ...answers)
    await declined.sees(KMS)
    declined.press('enter')
    await declined.sees(WRITE)
    declined.press('right', 'enter')
    expect(await declined.ended).toBe(2)
    expect(declined.shown()).toContain('nothing was written')

    expect(readdirSync(at())).toEqual(['prisma'])
    expect(read('prisma/schema.prisma')).toBe(SCHEMA)
  }, 180_000)

  it('say so when a file has changed while somebody was thinking', async () => {
    write('prisma/schema.prisma', SCHEMA)
    const terminal = ask(80, '--no-fields', '--kms', 'local')
    await terminal.sees(WRITE)
    write('prisma/schema.prisma', `${SCHEMA}// mine\n`)
    terminal.press('enter')
    expect(await terminal.ended).toBe(2)
    expect(terminal.shown()).toContain('prisma/schema.prisma has changed meanwhile, so nothing was written')
    expect(readdirSync(at())).toEqual(['prisma'])
  }, 120_000)

  it('fit into a narrow window', async () => {
    write('prisma/schema.prisma', SCHEMA)
    const terminal = ask(40)
    await terminal.sees('Which fields are to be encrypted')
    await terminal.sees('User.note')
    terminal.press('enter')
    await terminal.sees('User.phone')
    await terminal.sees('User.email')
    terminal.press('enter')
    await terminal.sees('No')
    terminal.press('interrupt')
    expect(await terminal.ended).toBe(130)
    const widest = Math.max(
      ...terminal
        .shown()
        .split(/[\r\n]+/)
        .map((line) => line.length),
    )
    expect(widest).toBeLessThanOrEqual(40)
  }, 120_000)
})
