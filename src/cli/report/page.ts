import type { KeySurvey } from '../../maintenance/postgres/survey.js'
import type { Survey } from '../../maintenance/survey.js'
import { count } from '../terminal.js'
import { PATTERNS } from './bars.js'
import { escaped, section, table } from './markup.js'
import { ageInDays, agesPlot, coveragePlot, nameOf, percent, versionsPlot } from './plots.js'
import { STYLE } from './style.js'

/** Active keys shown one by one. */
const SHOWN = 20

/**
 * A page by itself, without scripts and without anything to load, that also looks right on paper.
 *
 * @param scope what the survey was confined to, in words; empty for everything
 */
export function reportPage(survey: Survey, scope: string): string {
  const parts = [
    section('Coverage per field', 'The share of the values that is encrypted under a known key.', coveragePlot(survey)),
    section('Rows by key version', VERSIONS, versionsPlot(survey)),
    section('Keys by age', 'Encryption and index keys, by the time since they were made.', agesPlot(survey)),
    section('Fields', 'The figures behind the plots, in rows.', fieldTable(survey)),
    section('Indexes', 'Search misses rows whose entry is missing.', indexTable(survey)),
    section('Oldest active keys', oldestAbout(survey), keyTable(survey)),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>fieldseal: what is encrypted, ${survey.at.slice(0, 10)}</title>
<style>${STYLE}
</style>
</head>
<body>
${PATTERNS}
<main>
<h1>What is encrypted</h1>
<p class="when"><time datetime="${survey.at}">${survey.at.slice(0, 16).replace('T', ' ')} UTC</time>${scope && ` · ${escaped(scope)}`}</p>
${verdict(survey)}
${totals(survey)}
${parts.filter(Boolean).join('\n')}
</main>
<footer>Written by fieldseal status --html. It holds counts, names of fields and tenants, and ids of keys; no values and no keys.</footer>
</body>
</html>
`
}

const VERSIONS =
  'Under which versions of the tenants’ keys the values are. Values under retired keys are readable; re-encrypt brings them under the active one.'

function verdict({ fields, indexes }: Survey): string {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const wrong = [
    [sum(fields.map(({ plaintext }) => plaintext)), 'in plaintext'],
    [sum(fields.map(({ unknownKey }) => unknownKey)), 'under an unknown key'],
    [sum(indexes.map(({ missing, stray }) => missing + stray)), 'with a wrong index entry'],
  ] as const
  const words = wrong.filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`)
  return words.length > 0
    ? `<p class="verdict bad">Values: ${words.join(', ')}</p>`
    : '<p class="verdict good">No plaintext left, no index to repair</p>'
}

/** The figures to see first. */
function totals({ fields, keys, at }: Survey): string {
  const sum = (of: (field: Survey['fields'][number]) => number) => fields.reduce((total, one) => total + of(one), 0)
  const values = sum((field) => field.rows - field.null)
  const encrypted = sum(({ ciphertext, unknownKey }) => ciphertext - unknownKey)
  const retired = sum(({ versions }) => versions.reduce((n, { state, rows }) => (state === 'active' ? n : n + rows), 0))
  const active = keys.filter(({ state }) => state === 'active')
  const oldest = oldestFirst(active)[0]
  const tenants = new Set(keys.filter(({ purpose }) => purpose !== 'wrap').map(({ tenant }) => tenant))
  const entries = [
    ['encrypted', percent(encrypted, values), `${count(encrypted)} of ${count(values)} values`],
    ['in plaintext', count(sum(({ plaintext }) => plaintext)), 'values'],
    ['not under an active key', count(retired), 'encrypted values'],
    ['tenants with keys', count(tenants.size), ''],
    ['active keys', count(active.length), `of ${count(keys.length)} ever made`],
    ['oldest active key', oldest ? `${count(Math.floor(ageInDays(oldest, at)))} days` : '–', ''],
  ] as const
  const tile = ([name, figure, more]: (typeof entries)[number]) =>
    `<div><dt>${name}</dt><dd>${figure}${more && `<small>${more}</small>`}</dd></div>`
  return `<dl class="totals">${entries.map(tile).join('\n')}</dl>`
}

function fieldTable({ fields }: Survey): string {
  if (fields.length === 0) return ''
  return table(
    ['field', 'rows', 'no value', 'plaintext', 'encrypted', 'unknown key'],
    fields.map((field) => [
      nameOf(field),
      ...[field.rows, field.null, field.plaintext, field.ciphertext - field.unknownKey, field.unknownKey].map(count),
    ]),
  )
}

function indexTable({ indexes }: Survey): string {
  if (indexes.length === 0) return ''
  return table(
    ['index', 'missing', 'beside no value'],
    indexes.map((index) => [nameOf(index), count(index.missing), count(index.stray)]),
  )
}

function oldestAbout({ keys }: Survey): string {
  const active = keys.filter(({ state }) => state === 'active').length
  return active > SHOWN
    ? `The first ${SHOWN} of ${count(active)}; fieldseal status --json lists all.`
    : 'All of the active keys.'
}

function keyTable({ keys, at }: Survey): string {
  const active = oldestFirst(keys.filter(({ state }) => state === 'active')).slice(0, SHOWN)
  if (active.length === 0) return ''
  const rows = active.map((key) => [
    ...[key.tenant, key.purpose, String(key.version), count(Math.floor(ageInDays(key, at)))],
    ...[count(key.messages), `${key.kms} ${key.kekId}`],
  ])
  return `<div class="keys">${table(['tenant', 'purpose', 'version', 'age in days', 'messages', 'KEK'], rows)}</div>`
}

function oldestFirst(keys: readonly KeySurvey[]): KeySurvey[] {
  return [...keys].sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1))
}
