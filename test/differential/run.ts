// npm run test:differential -- --runs 100000 --schemas 20 [--seed S] [--path P]
// npm run test:differential -- --orm typeorm --of operations --runs 100000 --schemas 20 [--seed S] [--path P]
// npm run test:differential -- --orm typeorm --of statements --runs 100000 [--seed S] [--failures N]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const number = { type: 'string' } as const
const name = { type: 'string' } as const

/** The tests that hold what encrypts against what does not, by the ORM that is used and what is done with it. */
const TESTS: { readonly [orm: string]: { readonly [of: string]: string } } = {
  prisma: { operations: 'test/differential/differential.test.ts' },
  typeorm: {
    operations: 'test/typeorm/differential/differential.test.ts',
    statements: 'test/typeorm/analyser/analyser.test.ts',
  },
}

/** The suite runs some of them with TypeORM 0.3 too. */
const FIRST_PROJECT = '--ignoreProjects=typeorm 0.3'

/** The differential test with options, as variables that its worker process gets. */
function main(): void {
  const { values } = parseArgs({
    options: { orm: name, of: name, seed: number, runs: number, schemas: number, path: number, failures: number },
  })
  const { orm = 'prisma', of, ...options } = values
  const tests = testsOf(orm, of)
  const seed = { seed: String(Math.floor(Math.random() * 2 ** 30)) }
  const given = Object.entries({ ...seed, ...options }).map(([name, value]) => [
    `FIELDSEAL_DIFFERENTIAL_${name.toUpperCase()}`,
    value,
  ])
  const jest = ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')]
  const { status } = spawnSync(process.execPath, [...jest, FIRST_PROJECT, '--runTestsByPath', ...tests], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(given) },
  })
  process.exitCode = status ?? 1
}

/** All of an ORM, unless one kind is asked for. */
function testsOf(orm: string, of: string | undefined): string[] {
  const kinds = TESTS[orm]
  if (!kinds) throw new Error(`--orm is ${orm}; it can be ${Object.keys(TESTS).join(' or ')}`)
  if (of === undefined) return Object.values(kinds)
  const test = kinds[of]
  if (!test) throw new Error(`--of is ${of}; with --orm ${orm} it can be ${Object.keys(kinds).join(' or ')}`)
  return [test]
}

main()
