import type { FieldSurvey, KeySurvey } from '../../postgres/survey.js'
import type { Survey } from '../../prisma/survey.js'
import { count } from '../terminal.js'

const COLORS = {
  encrypted: '#1b7f5c',
  older: '#8fc7ae',
  plaintext: '#c0392b',
  null: '#d5d8dc',
  unknown: '#7d3c98',
  kms: '#2471a3',
}
const DAY = 86_400_000
/** Upper ends of the classes of age, in days. */
const AGES = [7, 30, 90, 180, 365, Number.POSITIVE_INFINITY]

/** A page by itself, without scripts and without anything to load, that also looks right on paper. */
export function statusPage(survey: Survey): string {
  const { fields, indexes, keys, at } = survey
  const tenants = new Set(keys.map(({ tenant }) => tenant)).size
  const active = keys.filter(({ state }) => state === 'active')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fieldseal: what is encrypted</title>
<style>${STYLE}</style>
<h1>What is encrypted</h1>
<p class="lead">${escaped(at.slice(0, 16).replace('T', ' '))} UTC · ${count(tenants)} tenants · ${count(active.length)} active keys · ${verdict(survey)}</p>
<h2>Coverage per field</h2>
${legend([
  ['encrypted', COLORS.encrypted],
  ['plaintext', COLORS.plaintext],
  ['under an unknown key', COLORS.unknown],
  ['NULL', COLORS.null],
])}
${fields.map(coverage).join('\n')}
<h2>Rows by key version</h2>
${legend([
  ['active key', COLORS.encrypted],
  ['retired key', COLORS.older],
  ['destroyed key', COLORS.plaintext],
  ...(fields.some(({ direct }) => direct > 0) ? [['the KMS itself', COLORS.kms] as const] : []),
])}
${fields.map(versions).join('\n')}
<h2>Active keys by age</h2>
${ages(active, at)}
${indexes.length === 0 ? '' : `<h2>Blind indexes</h2>${indexTable(survey)}`}
<h2>Fields</h2>
${fieldTable(fields)}
</html>
`
}

const STYLE = `
  :root { color-scheme: light; }
  body { font: 15px/1.5 system-ui, sans-serif; color: #1c2833; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
  .lead { color: #566573; margin: .2rem 0 1rem; } .bad { color: #c0392b; font-weight: 600; } .good { color: #1b7f5c; font-weight: 600; }
  .row { display: grid; grid-template-columns: 14rem 1fr 7rem; gap: .8rem; align-items: center; break-inside: avoid; margin: .25rem 0; }
  .row span:first-child { overflow-wrap: anywhere; } .row span:last-child { text-align: right; font-variant-numeric: tabular-nums; color: #566573; }
  svg { display: block; width: 100%; height: 1.1rem; } .legend span { margin-right: 1.2rem; font-size: .85rem; color: #566573; }
  .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #e5e8e8; font-variant-numeric: tabular-nums; }
  th:first-child, td:first-child { text-align: left; } tr { break-inside: avoid; }
  @media print { body { margin: 0; max-width: none; font-size: 11pt; } svg rect, .legend i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } h2 { break-after: avoid; } }
  @media (max-width: 40rem) { .row { grid-template-columns: 1fr; gap: 0; } .row span:last-child { text-align: left; } }`

function verdict({ fields, indexes }: Survey): string {
  const plaintext = fields.reduce((sum, field) => sum + field.plaintext, 0)
  const wrong = indexes.reduce((sum, { missing, stray }) => sum + missing + stray, 0)
  if (plaintext > 0) return `<span class="bad">${count(plaintext)} values in plaintext</span>`
  return wrong > 0
    ? `<span class="bad">${count(wrong)} indexes to repair</span>`
    : '<span class="good">no plaintext left</span>'
}

function coverage(field: FieldSurvey): string {
  const { rows, plaintext, ciphertext, unknownKey } = field
  const filled = rows - field.null
  const share = filled === 0 ? '–' : `${((100 * (ciphertext - unknownKey)) / filled).toFixed(1)} %`
  const parts: Part[] = [
    [ciphertext - unknownKey, COLORS.encrypted, 'encrypted'],
    [plaintext, COLORS.plaintext, 'plaintext'],
    [unknownKey, COLORS.unknown, 'under an unknown key'],
    [field.null, COLORS.null, 'NULL'],
  ]
  return barRow(`${field.model}.${field.field}`, parts, share)
}

function versions({ model, field, versions: found, ciphertext, direct }: FieldSurvey): string {
  const color = (state: string) =>
    state === 'active' ? COLORS.encrypted : state === 'retired' ? COLORS.older : COLORS.plaintext
  const parts = found.map(({ version, state, rows }): Part => [rows, color(state), `version ${version}, ${state}`])
  const all: Part[] = [...parts, [direct, COLORS.kms, 'the KMS itself']]
  return barRow(`${model}.${field}`, all, count(ciphertext))
}

function ages(keys: readonly KeySurvey[], at: string): string {
  const days = keys.map(({ createdAt }) => (Date.parse(at) - Date.parse(createdAt)) / DAY)
  const classes = AGES.map((end, i) => ({
    end,
    count: days.filter((age) => age < end && age >= (AGES[i - 1] ?? 0)).length,
  }))
  const most = Math.max(1, ...classes.map((one) => one.count))
  return classes
    .map(({ end, count: number }, i) => {
      const name = end === Number.POSITIVE_INFINITY ? 'over a year' : `${AGES[i - 1] ?? 0} to ${end} days`
      return barRow(
        name,
        [
          [number, COLORS.encrypted, name],
          [most - number, 'none', ''],
        ],
        count(number),
      )
    })
    .join('\n')
}

type Part = readonly [size: number, color: string, name: string]

function barRow(name: string, parts: readonly Part[], figure: string): string {
  const whole = Math.max(
    1,
    parts.reduce((sum, [size]) => sum + size, 0),
  )
  let at = 0
  const rects = parts.map(([size, color, title]) => {
    const [x, width] = [(100 * at) / whole, (100 * size) / whole]
    at += size
    if (size === 0 || color === 'none') return ''
    return `<rect x="${x}%" width="${width}%" height="100%" fill="${color}"><title>${escaped(title)}: ${count(size)}</title></rect>`
  })
  return `<div class="row"><span>${escaped(name)}</span><svg role="img" aria-label="${escaped(name)}: ${escaped(figure)}">${rects.join('')}</svg><span>${escaped(figure)}</span></div>`
}

function legend(entries: readonly (readonly [name: string, color: string])[]): string {
  return `<p class="legend">${entries.map(([name, color]) => `<span><i style="background:${color}"></i>${name}</span>`).join('')}</p>`
}

function indexTable({ indexes }: Survey): string {
  return table(
    ['index', 'missing', 'beside no value'],
    indexes.map(({ model, field, missing, stray }) => [`${model}.${field}`, count(missing), count(stray)]),
  )
}

function fieldTable(fields: readonly FieldSurvey[]): string {
  return table(
    ['field', 'rows', 'NULL', 'plaintext', 'encrypted', 'under an unknown key'],
    fields.map(({ model, field, rows, null: none, plaintext, ciphertext, unknownKey }) => [
      `${model}.${field}`,
      ...[rows, none, plaintext, ciphertext, unknownKey].map(count),
    ]),
  )
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  return `<table><thead>${line(head, 'th')}</thead><tbody>${rows.map((row) => line(row, 'td')).join('')}</tbody></table>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
