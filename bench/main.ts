import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, platform, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { casesOf, seed } from './cases.js'
import { chartOf } from './chart.js'
import { diskCosts } from './disk.js'
import { opensslSpeed, passes, perValue } from './micro.js'
import { profileOf } from './profile.js'
import {
  cpuTable,
  diskTable,
  machineTable,
  passTable,
  profileTable,
  ratioTable,
  targetTable,
  valueTable,
} from './report.js'
import type { CaseResult, Results } from './results.js'
import { type Effort, interleave, ratioOf, spreadOf } from './rounds.js'
import { openWorld, type World } from './world.js'

/*
 * The whole suite. `--quick` leaves the largest results out and takes few rounds; `--only text` runs the cases whose
 * name has it; `--write` puts tables, chart and figures where docs/performance.md shows them.
 */

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})
const effort: Effort = options.quick ? { budget: 2500, fewest: 11 } : { budget: 4000, fewest: 9 }

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const say = (text: string) => console.log(`${text}\n`)

function versionOf(name: string): string {
  return JSON.parse(readFileSync(at(`../node_modules/${name}/package.json`), 'utf8')).version
}

async function machine({ plain, native }: World): Promise<Results['machine']> {
  const [{ version }] = await plain.$queryRaw<[{ version: string }]>`SELECT version()`
  return {
    processor: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`,
    system: `${platform()} ${release()}`,
    'Node.js': `${process.version}, OpenSSL ${process.versions.openssl}`,
    PostgreSQL: version.split(' ').slice(0, 2).join(' '),
    Prisma: versionOf('@prisma/client'),
    fieldseal: `${JSON.parse(readFileSync(at('../package.json'), 'utf8')).version}, engine ${native.$encryption.stats().engine}`,
    'prisma-field-encryption': versionOf('prisma-field-encryption'),
  }
}

async function runCases(world: World): Promise<CaseResult[]> {
  const most = options.quick ? 1000 : 10_000
  await seed(world, most)
  const results: CaseResult[] = []
  for (const { name, contenders } of casesOf(world, most).filter((one) => one.name.includes(options.only))) {
    const { wall, cpu } = await interleave(contenders, effort)
    const [plain, ...others] = Object.keys(contenders) as [string, ...string[]]
    const each = <T>(names: readonly string[], of: (name: string) => T) =>
      Object.fromEntries(names.map((one) => [one, of(one)]))
    const result: CaseResult = {
      name,
      rounds: wall[plain]!.length,
      times: each([plain, ...others], (one) => spreadOf(wall[one]!)),
      ratios: each(others, (one) => ratioOf(wall, one, plain)),
      cpuRatios: each(others, (one) => ratioOf(cpu, one, plain)),
    }
    const told = others.map(
      (one) => `${one} ${result.ratios[one]!.median.toFixed(2)} (CPU ${result.cpuRatios[one]!.median.toFixed(2)})`,
    )
    console.log(
      `${name}: plain ${result.times.plain!.median.toFixed(2)} ms; to plain: ${told.join(', ')} (${result.rounds} rounds)`,
    )
    results.push(result)
  }
  return results
}

/** One read of 1,000 rows with six strings each. */
async function runProfiles({ plain, native }: World): Promise<Results['profiles']> {
  const where = { id: { lte: 1000 } }
  const acme = native.$forTenant('acme')
  return {
    'plain client': await profileOf(() => plain.plainNote.findMany({ where }), 100),
    'plain client, reading ciphertexts': await profileOf(() => plain.note.findMany({ where }), 100),
    'fieldseal, native': await profileOf(() => acme.note.findMany({ where }), 100),
  }
}

async function measure(): Promise<Results> {
  const world = await openWorld()
  try {
    const counts = [1000, 10_000, 100_000]
    const rounds = options.quick ? 5 : 15
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: await machine(world),
      cases: await runCases(world),
      profiles: await runProfiles(world),
      perValue: await perValue(effort.budget),
      opensslSpeed: opensslSpeed(),
      passes: { native: await passes('native', counts, rounds), node: await passes('node', counts, rounds) },
      disk: await diskCosts(world, [1, 8, 16, 40, 100, 255, 1000, 10_000]),
    }
  } finally {
    await world.close()
  }
}

/** Puts a table between its two marks in docs/performance.md. */
function fill(document: string, mark: string, text: string): string {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no ${begin}`)
  return `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`
}

function write(results: Results, tables: { readonly [mark: string]: string }): void {
  const path = at('../docs/performance.md')
  const filled = Object.entries(tables).reduce(
    (text, [mark, table]) => fill(text, mark, table),
    readFileSync(path, 'utf8'),
  )
  writeFileSync(path, filled)
  writeFileSync(at('../docs/performance.svg'), chartOf(results.cases))
  writeFileSync(at('results.json'), `${JSON.stringify(results, null, 2)}\n`)
}

const results = await measure()
const tables = {
  machine: machineTable(results),
  ...(options.only ? {} : { targets: targetTable(results) }),
  ratios: ratioTable(results),
  cpu: cpuTable(results),
  profiles: profileTable(results),
  values: valueTable(results),
  passes: passTable(results),
  disk: diskTable(results),
}
for (const table of Object.values(tables)) say(table)
if (options.write) write(results, tables)
