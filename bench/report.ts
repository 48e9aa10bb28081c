import type { Pass } from './micro.js'
import type { CaseResult, Results } from './results.js'
import type { Spread } from './rounds.js'

/* Results as the tables of docs/performance.md. */

const NAMES: { readonly [contender: string]: string } = {
  hook: 'a hook that does nothing',
  native: 'fieldseal, native',
  node: 'fieldseal, node',
  bare: 'bare `node:crypto` loop',
  other: 'prisma-field-encryption',
}

/** @param digits after the point */
function shown({ median, low, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} [${low.toFixed(digits)}–${high.toFixed(digits)}]`
}

function rows(lines: readonly (readonly string[])[]): string {
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A Markdown table. */
function tableOf(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return rows([head, head.map(() => '---'), ...lines])
}

export function machineTable({ machine, date }: Results): string {
  return tableOf(['', ''], [['date', date], ...Object.entries(machine)])
}

export function ratioTable({ cases }: Results): string {
  const names = Object.keys(NAMES)
  const head = ['', 'plain client, ms', ...names.map((name) => NAMES[name]!)]
  const lines = cases.map(({ name, times, ratios }) => [
    name,
    shown(times.plain!),
    ...names.map((contender) => (ratios[contender] ? shown(ratios[contender]) : '')),
  ])
  return tableOf(head, lines)
}

/** As `ratioTable`, of processor time. */
export function cpuTable({ cases }: Results): string {
  const names = Object.keys(NAMES)
  const lines = cases.map(({ name, cpuRatios }) => [
    name,
    ...names.map((contender) => (cpuRatios[contender] ? shown(cpuRatios[contender]) : '')),
  ])
  return tableOf(['', ...names.map((name) => NAMES[name]!)], lines)
}

export function profileTable({ profiles }: Results): string {
  const parts = Object.keys(Object.values(profiles)[0]!)
  const lines = parts.map((part) => [part, ...Object.values(profiles).map((profile) => profile[part]!.toFixed(2))])
  const sums = Object.values(profiles).map((profile) =>
    Object.values(profile)
      .reduce((sum, ms) => sum + ms, 0)
      .toFixed(2),
  )
  return tableOf(['ms of one read', ...Object.keys(profiles)], [...lines, ['together', ...sums]])
}

export function valueTable({ perValue, opensslSpeed }: Results): string {
  const lines = Object.entries(perValue).map(([name, spread]) => [name, shown(spread, 3), againstBare(name, perValue)])
  const speeds = Object.entries(opensslSpeed).map(([name, us]) => [`\`openssl speed\`, ${name}`, us.toFixed(3), ''])
  return tableOf(['48 bytes', 'µs', 'to bare OpenSSL'], [...lines, ...speeds])
}

function againstBare(name: string, perValue: Results['perValue']): string {
  const bare = perValue[`bare OpenSSL ${name.split(' ').at(-1)}`]
  return bare ? (perValue[name]!.median / bare.median).toFixed(2) : ''
}

export function passTable({ passes }: Results): string {
  const lines = Object.entries(passes).flatMap(([engine, measured]) =>
    measured.map(({ values, perValue, blocked }) => [
      engine,
      values.toLocaleString('en'),
      shown(perValue, 3),
      `${blocked.median.toFixed(1)} (at most ${blocked.high.toFixed(1)})`,
    ]),
  )
  return tableOf(['engine', 'values in one pass', 'µs for each', 'event loop blocked at a stretch, ms'], lines)
}

export function diskTable({ disk }: Results): string {
  const lines = disk.map(({ bytes, plain, text, raw, wire }) => [
    String(bytes),
    ...[plain, text, raw, wire.plain, wire.text, wire.raw].map(String),
  ])
  const head = ['bytes of the value', 'stored: plain text', 'encrypted text', 'encrypted Bytes']
  return tableOf([...head, 'sent: plain text', 'encrypted text', 'encrypted Bytes'], lines)
}

interface Target {
  readonly what: string
  readonly target: string
  readonly measured: string
  readonly cpu?: string
  readonly met: boolean
}

/** The targets that the project set itself, against one run. */
export function targetTable(results: Results): string {
  const lines = targets(results).map(({ what, target, measured, cpu = '', met }) => [
    what,
    target,
    measured,
    cpu,
    met ? 'yes' : 'no',
  ])
  return tableOf(['', 'target', 'measured', 'in processor time', 'met'], lines)
}

function targets({ cases, perValue, passes }: Results): Target[] {
  const ratio = (name: string, contender: string, most: number): Target => {
    const { ratios, cpuRatios } = cases.find((measured) => measured.name === name) as CaseResult
    const spread = ratios[contender]!
    const what = `${name}, ${contender}, to plain`
    const cpu = shown(cpuRatios[contender]!)
    return { what, target: `≤ ${most}`, measured: shown(spread), cpu, met: spread.median <= most }
  }
  return [
    ratio('findMany 10 × 6', 'native', 1.15),
    ratio('findMany 1,000 × 6', 'native', 1.9),
    ratio('findMany 1,000 × 20', 'native', 3.5),
    ratio('findUnique × 20', 'native', 1.12),
    ratio('findMany 100 with 10 × 6 included', 'native', 1.7),
    ratio('create 1 × 6, 20 times', 'native', 1.2),
    ratio('createMany 1,000 × 6', 'native', 1.05),
    ratio('update 1 × 6, 20 times', 'native', 1.2),
    ratio('search by equality × 20', 'native', 1.2),
    ...bareTarget(perValue),
    loopTarget(cases),
    ratio('findMany 1,000 × 6, no encrypted fields', 'native', 1.02),
    ratio('findUnique × 20, no encrypted fields', 'native', 1.02),
    ...Object.entries(passes).map(([engine, measured]) => growth(engine, measured)),
    blocking('native', passes.native, 8),
    blocking('node', passes.node, 20),
  ]
}

/** What the engine without an addon takes to the least that it could. */
function loopTarget(cases: Results['cases']): Target {
  const name = 'findMany 1,000 × 6'
  const { times } = cases.find((measured) => measured.name === name) as CaseResult
  const measured = times.node!.median / times.bare!.median
  return {
    what: `${name}, node, to the bare \`node:crypto\` loop`,
    target: '≤ 1',
    measured: measured.toFixed(2),
    met: measured <= 1,
  }
}

function bareTarget(perValue: Results['perValue']): Target[] {
  const [native, bare] = [perValue['native decrypt'], perValue['bare OpenSSL decrypt']]
  if (!native || !bare) return []
  const measured = native.median / bare.median
  const what = 'decrypt a value of 48 bytes in a batch, native, to bare OpenSSL with a reused context'
  return [{ what, target: '≤ 2.5', measured: measured.toFixed(2), met: measured <= 2.5 }]
}

function growth(engine: string, measured: readonly Pass[]): Target {
  const [first, last] = [measured[0]!, measured.at(-1)!]
  const change = (last.perValue.median / first.perValue.median - 1) * 100
  const what = `cost of a value, ${last.values.toLocaleString('en')} to ${first.values.toLocaleString('en')}, ${engine}`
  return { what, target: '± 10 %', measured: `${change.toFixed(1)} %`, met: Math.abs(change) <= 10 }
}

function blocking(engine: string, measured: readonly Pass[], most: number): Target {
  const { values, blocked } = measured.find((pass) => pass.values === 100_000)!
  const what = `event loop blocked by a pass over ${values.toLocaleString('en')} values, ${engine}`
  const text = `${blocked.median.toFixed(1)} ms, at most ${blocked.high.toFixed(1)} ms`
  return { what, target: `≤ ${most} ms`, measured: text, met: blocked.median <= most }
}
