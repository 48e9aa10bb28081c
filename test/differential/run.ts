// npm run test:differential -- --runs 100000 --schemas 20 [--seed S] [--path P]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const number = { type: 'string' } as const

/** The differential test with options, as variables that its worker process gets. */
function main(): void {
  const { values } = parseArgs({ options: { seed: number, runs: number, schemas: number, path: number } })
  const seed = { seed: String(Math.floor(Math.random() * 2 ** 30)) }
  const given = Object.entries({ ...seed, ...values }).map(([name, value]) => [
    `FIELDSEAL_DIFFERENTIAL_${name.toUpperCase()}`,
    value,
  ])
  const jest = ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')]
  const { status } = spawnSync(process.execPath, [...jest, 'test/differential/differential.test.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...Object.fromEntries(given) },
  })
  process.exitCode = status ?? 1
}

main()
