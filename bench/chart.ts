import type { CaseResult } from './results.js'

/* Ratios to the plain client as bars, on a scale that doubles: a picture for docs/performance.md. */

const SERIES = [
  { name: 'hook', label: 'a hook that does nothing', color: '#dfe3ea' },
  { name: 'native', label: 'fieldseal, native engine', color: '#0a7d5a' },
  { name: 'node', label: 'fieldseal, node engine', color: '#6cc3a0' },
  { name: 'bare', label: 'bare node:crypto loop', color: '#b0b7c3' },
  { name: 'other', label: 'prisma-field-encryption 1.6.0', color: '#d9822b' },
] as const

const LEFT = 260
const WIDTH = 960
const BAR = 12
const GAP = 14
const TOP = 56

/** An SVG with the median of each contender in each case, and a line over its quartiles. */
export function chartOf(cases: readonly CaseResult[]): string {
  const largest = Math.max(...cases.flatMap(({ ratios }) => Object.values(ratios).map(({ high }) => high)))
  const doublings = Math.max(1, Math.ceil(Math.log2(largest)))
  const x = (ratio: number) => LEFT + (Math.max(0, Math.log2(ratio)) / doublings) * (WIDTH - LEFT - 30)
  let y = TOP
  const groups = cases.map((measured) => {
    const group = groupOf(measured, x, y)
    y += group.height + GAP
    return group.svg
  })
  const lines = Array.from({ length: doublings + 1 }, (_, i) => gridLine(x(2 ** i), y, `${2 ** i}×`))
  const body = [legend(), ...lines, ...groups].join('\n')
  const title = 'Time of an operation, to that of the plain Prisma client'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 24}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>${title}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${body}
</svg>
`
}

function groupOf({ name, ratios }: CaseResult, x: (ratio: number) => number, top: number) {
  const series = SERIES.filter((one) => ratios[one.name])
  const height = series.length * BAR
  const bars = series.map(({ name: contender, color }, i) => {
    const { median, low, high } = ratios[contender]!
    const [y, middle] = [top + i * BAR, top + i * BAR + BAR / 2]
    return [
      `<rect x="${x(1).toFixed(1)}" y="${y + 1}" width="${Math.max(1, x(median) - x(1)).toFixed(1)}" height="${BAR - 2}" fill="${color}"/>`,
      `<line x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#1f2430" stroke-width="1"/>`,
      `<text x="${(x(high) + 5).toFixed(1)}" y="${y + BAR - 2}" font-size="10" fill="#1f2430">${median.toFixed(2)}</text>`,
    ].join('\n')
  })
  const label = `<text x="${LEFT - 8}" y="${top + height / 2 + 4}" text-anchor="end" fill="#1f2430">${name}</text>`
  return { svg: [label, ...bars].join('\n'), height }
}

function gridLine(x: number, bottom: number, label: string): string {
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP - 8}" y2="${bottom}" stroke="#e3e6eb"/>
<text x="${x.toFixed(1)}" y="${bottom + 14}" text-anchor="middle" fill="#5b6472">${label}</text>`
}

function legend(): string {
  let x = 12
  const entries = SERIES.map(({ label, color }) => {
    const svg = `<rect x="${x}" y="14" width="12" height="12" fill="${color}"/><text x="${x + 18}" y="24" fill="#1f2430">${label}</text>`
    x += 32 + label.length * 6.1
    return svg
  })
  return entries.join('\n')
}
