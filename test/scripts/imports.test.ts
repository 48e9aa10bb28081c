import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const run = promisify(execFile)

const FORBIDDEN = [
  ['errors.ts', 'crypto/bytes.ts', 'errors-imports-no-later-layer'],
  ['debug.ts', 'crypto/bytes.ts', 'debug-imports-no-later-layer'],
  ['crypto/aead.ts', 'schema/model.ts', 'crypto-imports-no-later-layer'],
  ['keys/ring.ts', 'prisma/keyStore.ts', 'keys-imports-no-later-layer'],
  ['tenancy/tenant.ts', 'keys/dek.ts', 'tenancy-imports-no-later-layer'],
  ['plan/plan.ts', 'client/audit.ts', 'plan-imports-no-later-layer'],
  ['maintenance/run.ts', 'client/options.ts', 'maintenance-imports-no-later-layer'],
  ['client/audit.ts', 'prisma/rows.ts', 'client-imports-no-later-layer'],
  ['prisma/write/writes.ts', 'typeorm/waist.ts', 'prisma-imports-no-later-layer'],
  ['typeorm/dataSource.ts', 'prisma/values.ts', 'orms-are-blind-to-each-other'],
  ['prisma/extension.ts', 'cli/main.ts', 'prisma-imports-no-later-layer'],
  ['cipher/cipher.ts', 'kms/local.ts', 'kms-is-injected'],
  ['client/options.ts', 'kms/local.ts', 'kms-is-injected'],
  ['maintenance/rows/run.ts', 'kms/local.ts', 'kms-is-injected'],
  ['prisma/extension.ts', 'kms/local.ts', 'kms-is-injected'],
  ['typeorm/dataSource.ts', 'kms/local.ts', 'kms-is-injected'],
  ['cipher/cipher.ts', 'index.ts', 'nothing-imports-an-entry-point'],
  ['bin/generator.ts', 'prisma/index.ts', 'nothing-imports-an-entry-point'],
  ['kms/tencent.ts', 'testing/emulator.ts', 'production-imports-no-testing'],
  ['utilities/text.ts', 'errors.ts', 'every-file-has-its-layer'],
  ['schema/field.ts', 'schema/model.ts', 'no-cycle'],
] as const

const ALLOWED = [
  ['prisma/walk.ts', 'crypto/header.ts'],
  ['testing/fake.ts', 'prisma/walk.ts'],
  ['bin/kms-emulator.ts', 'testing/fake.ts'],
] as const

let folder: string
let violations: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fieldseal-imports-'))
  for (const [from, to] of [...FORBIDDEN, ...ALLOWED]) await writeImport(from, to)
  await writeImport('schema/model.ts', 'schema/field.ts')
  violations = await cruise()
})
afterAll(() => rm(folder, { recursive: true }))

describe('the import rules', () => {
  it.each(FORBIDDEN)('refuse that %s imports %s: %s', (from, to, rule) => {
    expect(violations).toContain(`${rule}: src/${from} → src/${to}`)
  })

  it.each(ALLOWED)('allow that %s imports %s', (from, to) => {
    expect(violations.filter((violation) => violation.endsWith(`src/${from} → src/${to}`))).toEqual([])
  })
})

async function writeImport(from: string, to: string): Promise<void> {
  const specifier = `${'../'.repeat(from.split('/').length)}src/${to.replace('.ts', '.js')}`
  for (const path of [from, to]) await mkdir(dirname(join(folder, 'src', path)), { recursive: true })
  await appendFile(join(folder, 'src', from), `import type {} from '${specifier}'\n`)
  await appendFile(join(folder, 'src', to), 'export {}\n')
}

async function cruise(): Promise<string[]> {
  const rules = resolve('.dependency-cruiser.cjs')
  const args = [resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--config', rules]
  const { stdout } = await run(process.execPath, [...args, '--output-type', 'json', 'src'], { cwd: folder })
  const report = JSON.parse(stdout) as {
    summary: { violations: { rule: { name: string }; from: string; to: string }[] }
  }
  return report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
}
