import type { FieldSurvey, KeySurvey } from '../../maintenance/postgres/survey.js'
import type { Survey } from '../../maintenance/survey.js'
import { ageInDays } from '../activeKeys.js'
import { count } from '../terminal.js'
import { barRow, type Kind, legend, type Part } from './bars.js'

/** Upper ends of the classes of age, in days. */
const AGES = [7, 30, 90, 180, 365, Number.POSITIVE_INFINITY]

const BY_ANOTHER = 'by another library'

/** How much of each field is encrypted. */
export function coveragePlot({ fields }: Survey): string {
  const entries: readonly (readonly [string, Kind])[] = [
    ['encrypted', 'encrypted'],
    ['plaintext', 'plaintext'],
    ...(fields.some(({ former }) => former.rows > 0) ? [[BY_ANOTHER, 'retired'] as const] : []),
    ['under an unknown key', 'unknown'],
    ['no value', 'null'],
  ]
  return [legend(entries), ...fields.map(coverage)].join('\n')
}

function coverage(field: FieldSurvey): string {
  const { plaintext, former, ciphertext, unknownKey } = field
  const encrypted = ciphertext - unknownKey
  const parts: Part[] = [
    { size: encrypted, kind: 'encrypted', name: 'encrypted' },
    { size: plaintext, kind: 'plaintext', name: 'plaintext' },
    { size: former.rows, kind: 'retired', name: BY_ANOTHER },
    { size: unknownKey, kind: 'unknown', name: 'under an unknown key' },
    { size: field.null, kind: 'null', name: 'no value' },
  ]
  const left = [
    plaintext > 0 ? `${count(plaintext)} plaintext` : [],
    former.rows > 0 ? `${count(former.rows)} by ${former.library}` : [],
    unknownKey > 0 ? `${count(unknownKey)} unknown` : [],
  ]
  const figures = [percent(encrypted, field.rows - field.null), ...left.flat()]
  return barRow({ name: nameOf(field), parts, figures })
}

/** Under which versions of their keys the values are. */
export function versionsPlot({ fields }: Survey): string {
  const filled = fields.filter(({ versions, direct }) => versions.length > 0 || direct > 0)
  if (filled.length === 0) return ''
  const bars = filled.map((field) => {
    const parts = field.versions.map(({ version, state, rows }): Part => {
      return { size: rows, kind: kindOf(state), name: `version ${version}, ${state}` }
    })
    const { direct } = field
    if (direct > 0) parts.push({ size: direct, kind: 'kms', name: 'the KMS itself' })
    const figures = field.versions.map(({ version, state, rows }) => `v${version} ${state}: ${count(rows)}`)
    if (direct > 0) figures.push(`the KMS itself: ${count(direct)}`)
    return barRow({ name: nameOf(field), parts, figures })
  })
  const entries = [
    ['active key', 'encrypted'],
    ['retired key', 'retired'],
    ['destroyed key', 'destroyed'],
    ...(filled.some(({ direct }) => direct > 0) ? [['the KMS itself', 'kms'] as const] : []),
  ] as const
  return [legend(entries), ...bars].join('\n')
}

function kindOf(state: string): Kind {
  return state === 'active' ? 'encrypted' : state === 'retired' ? 'retired' : 'destroyed'
}

/** How many keys have which age; destroyed ones are no keys any more. */
export function agesPlot({ keys, at }: Survey): string {
  const classes = AGES.map((end, i) => classOf(keys, at, AGES[i - 1] ?? 0, end))
  const most = Math.max(...classes.map(({ active, retired }) => active + retired))
  if (most === 0) return ''
  const bars = classes
    .filter(({ active, retired }) => active + retired > 0)
    .map(({ name, active, retired }) => {
      const parts: Part[] = [
        { size: active, kind: 'encrypted', name: 'active' },
        { size: retired, kind: 'retired', name: 'retired' },
      ]
      return barRow({ name, parts, whole: most, figures: [`${count(active)} active`, `${count(retired)} retired`] })
    })
  const entries = [
    ['active', 'encrypted'],
    ['retired', 'retired'],
  ] as const
  return [legend(entries), ...bars].join('\n')
}

function classOf(keys: readonly KeySurvey[], at: string, from: number, to: number) {
  const within = keys.filter((key) => {
    const age = ageInDays(key, at)
    return (age >= from || from === 0) && age < to
  })
  const number = (wanted: string) => within.filter(({ state }) => state === wanted).length
  const name =
    to === Number.POSITIVE_INFINITY ? 'over a year' : from === 0 ? `under ${to} days` : `${from} to ${to} days`
  return { name, active: number('active'), retired: number('retired') }
}

/** Rounded down, so that only all is 100 %. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return 'no values'
  return `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`
}

export function nameOf({ model, field }: { readonly model: string; readonly field: string }): string {
  return `${model}.${field}`
}
