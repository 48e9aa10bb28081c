// npm run test:differential -- --runs 100000 --schemas 20 [--seed S] [--path P]
// npm run test:differential -- --orm typeorm --runs 100000 [--seed S] [--failures N]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const number = { type: 'string' } as const

/** The tests that hold what encrypts against what does not, by the ORM that is used. */
const TESTS: { readonly [orm: string]: string } = {
  prisma: 'test/differential/differential.test.ts',
  typeorm: 'test/typeorm/analyser/analyser.test.ts',
}

/** The differential test with options, as variables that its worker process gets. */
function main(): void {
  const { values } = parseArgs({
    options: { orm: { type: 'string' }, seed: number, runs: number, schemas: number, path: number, failures: number },
  })
  const { orm = 'prisma', ...options } = values
  const test = TESTS[orm]
  if (!test) throw new Error(`--orm is ${orm}; it can be ${Object.keys(TESTS).join(' or ')}`)
  const seed = { seed: String(Math.floor(Math.random() * 2 ** 30)) }
  const given = Object.entries({ ...seed, ...options }).map(([name, value]) => [
    `FIELDSEAL_DIFFERENTIAL_${name.toUpperCase()}`,
    value,
  ])
  const jest = ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')]
  const { status } = spawnSync(process.execPath, [...jest, test], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(given) },
  })
  process.exitCode = status ?? 1
}

main()
