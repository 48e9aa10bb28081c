import type { Survey } from '../../maintenance/survey.js'
import { ageInDays, kekName, oldestFirst } from '../activeKeys.js'
import { count } from '../terminal.js'
import { ownVersion } from '../version.js'
import { documentOf } from './document.js'
import { section, table } from './markup.js'
import { agesPlot, coveragePlot, nameOf, percent, versionsPlot } from './plots.js'

/** Active keys shown one by one. */
const SHOWN = 20

/**
 * The page of a survey.
 *
 * @param scope of what it is, and what the survey was confined to, in words
 */
export function reportPage(survey: Survey, scope: string): string {
  const sections = [
    section('Coverage per field', 'The share of the values that is encrypted under a known key.', coveragePlot(survey)),
    section('Rows by key version', VERSIONS, versionsPlot(survey)),
    section('Keys by age', 'Encryption and index keys, by the time since they were made.', agesPlot(survey)),
    section('Fields', 'The figures behind the plots, in rows.', fieldTable(survey)),
    section('Indexes', 'Search misses rows whose entry is missing.', indexTable(survey)),
    section('Where the keys are', keksAbout(survey), kekTable(survey)),
    section('Oldest active keys', oldestAbout(survey), keyTable(survey)),
  ]
  return documentOf({
    ...{ heading: 'What is encrypted', at: survey.at, scope, summary: [verdict(survey), totals(survey)], sections },
    footer: `Written by fieldseal ${ownVersion()}, status --html. It holds counts, names of fields and tenants, and ids of keys; no values and no keys.`,
  })
}

const VERSIONS =
  'Under which versions of the tenants’ keys the values are. Values under retired keys are readable; re-encrypt brings them under the active one.'

function verdict({ fields, indexes }: Survey): string {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const wrong = [
    [sum(fields.map(({ plaintext }) => plaintext)), 'in plaintext'],
    [sum(fields.map(({ former }) => former.rows)), 'as another library left them'],
    [sum(fields.map(({ unknownKey }) => unknownKey)), 'under an unknown key'],
    [sum(indexes.map(({ missing, unencrypted, stray }) => missing - unencrypted + stray)), 'with a wrong index entry'],
  ] as const
  const words = wrong.filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`)
  if (words.length > 0) return `<p class="verdict bad">Values: ${words.join(', ')}</p>`
  const old = notUnderActiveKey(fields)
  return old > 0
    ? `<p class="verdict open">No plaintext left; ${count(old)} of ${count(sum(fields.map(({ ciphertext }) => ciphertext)))} values not under an active key</p>`
    : '<p class="verdict good">No plaintext left, no index to repair, all under active keys</p>'
}

function notUnderActiveKey(fields: Survey['fields']): number {
  const versions = fields.flatMap((field) => field.versions)
  return versions.reduce((total, { state, rows }) => (state === 'active' ? total : total + rows), 0)
}

/** The figures to see first. */
function totals({ fields, keys, at }: Survey): string {
  const sum = (of: (field: Survey['fields'][number]) => number) => fields.reduce((total, one) => total + of(one), 0)
  const values = sum((field) => field.rows - field.null)
  const encrypted = sum(({ ciphertext, unknownKey }) => ciphertext - unknownKey)
  const active = oldestFirst(keys, at)
  const oldest = active[0]
  const tenants = new Set(keys.filter(({ purpose }) => purpose !== 'wrap').map(({ tenant }) => tenant))
  const entries = [
    ['encrypted', percent(encrypted, values), `${count(encrypted)} of ${count(values)} values`],
    ['in plaintext', count(sum(({ plaintext }) => plaintext)), 'values'],
    ['not under an active key', count(notUnderActiveKey(fields)), 'encrypted values'],
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

function keksAbout({ keks }: Survey): string {
  return keks.length > SHOWN
    ? `The first ${SHOWN} of ${count(keks.length)} KEKs; fieldseal status --json lists all.`
    : 'By the KMS and the KEK that wrap them. Older keys are needed to read what was written under them.'
}

/** For two and more: one alone is beside each key. */
function kekTable({ keks }: Survey): string {
  if (keks.length < 2) return ''
  const rows = keks.slice(0, SHOWN).map(({ kms, kekId, tenants, active, older }) => {
    return [kms, ...[tenants, active, older].map(count), kekId]
  })
  return `<div class="keys">${table(['KMS', 'tenants', 'active keys', 'older keys', 'KEK'], rows)}</div>`
}

function keyTable({ keys, at }: Survey): string {
  const active = oldestFirst(keys, at).slice(0, SHOWN)
  if (active.length === 0) return ''
  const rows = active.map((key) => [
    ...[key.tenant, key.purpose, String(key.version), count(Math.floor(ageInDays(key, at)))],
    ...[count(key.messages), kekName(key)],
  ])
  return `<div class="keys">${table(['tenant', 'purpose', 'version', 'age in days', 'reserved', 'KEK'], rows)}</div>`
}
