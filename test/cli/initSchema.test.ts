import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import type { InitAnswers } from '../../src/cli/init/answers.js'
import { type InitInput, planInit } from '../../src/cli/init/plan.js'
import { prismaFacts } from '../../src/cli/init/prismaFacts.js'
import { resolveAnswers, UNASKED } from '../../src/cli/init/resolveAnswers.js'
import { prismaGenerate, useSource } from '../prisma/generator/prismaGenerate.js'
import { createDatabase } from '../support/database.js'
import { onTestFinished } from '../support/onTestFinished.js'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const program = join(repository, 'dist/bin/fieldseal.js')
const runFile = promisify(execFile)

/** Inside the repository, so that the configuration finds its packages. */
function project(): string {
  mkdirSync(join(repository, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(repository, '.tmp/init-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A schema as it was before anybody thought of encryption. */
function withoutMarks(text: string): string {
  return text
    .replace(/^generator encryption \{[\s\S]*?^\}\n/m, '')
    .replace(/^.*\/\/\/ *@(blindIndex|textIndex|rangeIndex)\b.*\n/gm, '')
    .replace(/^\s*@@(index|unique)\(.*(Index|Tokens|Cells|Parts)\b.*\n/gm, '')
    .replace(/ *\/\/\/.*@(encrypted|tenant)\b.*$/gm, '')
    .replace(/^\/\/\/ *@encryptionKeys\nmodel [\s\S]*?^\}\n/m, '')
}

describe('a schema that init has marked', () => {
  it.each(['prisma/schema.prisma', 'test/prisma/fixtures/everything.prisma'])(
    'is one that Prisma and the generator take, with whatever can be encrypted: %s',
    async (path) => {
      const folder = project()
      const schema = { path: join(folder, 'schema.prisma'), text: withoutMarks(readFileSync(path, 'utf8')) }
      const facts = prismaFacts(folder, { files: [schema], folder: undefined }, false)
      const fields = facts.candidates.filter(({ problem }) => problem === undefined).map(({ name }) => name)
      const answers = await resolveAnswers(facts, { fields }, UNASKED)
      write({ root: folder, schema: [schema], folder: undefined, configured: false }, answers)
      expect(await prismaGenerate(schema.path)).toMatchObject({ code: 0 })
      expect(fields.length).toBeGreaterThan(2)
    },
    120_000,
  )

  it('of many files with the line ends of Windows is what doctor finds nothing wrong with', async () => {
    const folder = project()
    const schema = Object.entries(FILES).map(([name, text]) => ({
      path: join(folder, 'prisma', name),
      text: text.replaceAll('\n', '\r\n'),
    }))
    const input = { root: folder, schema, folder: join(folder, 'prisma') }
    const facts = prismaFacts(folder, { files: schema, folder: input.folder }, false)
    write({ ...input, configured: false }, await resolveAnswers(facts, {}, UNASKED))
    expect(await prismaGenerate(input.folder)).toMatchObject({ code: 0 })

    const database = await createDatabase({ schema: input.folder })
    onTestFinished(() => database.drop())
    const env = { ...process.env, DATABASE_URL: database.url, FIELDSEAL_KEY: randomBytes(32).toString('base64') }
    const doctor = await runFile(process.execPath, [program, 'doctor'], { cwd: folder, env })
    expect(doctor.stdout).toMatch(/\n0 problems, 0 risks, \d+ hints\n$/)
    expect(doctor.stdout).not.toContain('is not marked')
    const status = await runFile(process.execPath, [program, 'status'], { cwd: folder, env })
    for (const field of ['User.email', 'Invoice.street']) expect(status.stdout).toContain(field)
  }, 180_000)
})

/** A schema of many files. */
const FILES = {
  'schema.prisma': `generator client {
  provider = "prisma-client"
  output   = "../generated/prisma"
}

datasource db {
  provider = "postgresql"
}
`,
  'user.prisma': `model User {
  id       String    @id @default(uuid())
  orgId    String
  email    String    @db.VarChar(200)
  phone    String?   // as given
  invoices Invoice[]

  @@unique([orgId, email])
}
`,
  'invoice.prisma': `model Invoice {
  id     Int    @id @default(autoincrement())
  userId String
  user   User   @relation(fields: [userId], references: [id])
  street String
}
`,
}

function write(input: InitInput, answers: InitAnswers): void {
  for (const { path, after } of planInit({ ...input, answers })) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, useSource(after))
  }
}
