import { printable } from '../../printable.js'
import { count, counted } from '../terminal.js'
import type { Advice, IndexFigures, Near, Verdict } from './advice.js'
import { percent } from './recommendations.js'

const TIMES = [
  ['year', 365.25 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** What a guess is called that is nearly right. */
export function nearWords(near: Near): string {
  switch (near.kind) {
    case 'share':
      return `within ${percent(near.share)}`
    case 'distance':
      return `within ${timeWords(near.distance)}`
    case 'part':
      return 'in part'
  }
}

function timeWords(distance: number): string {
  const [name, size] = TIMES.find(([, one]) => distance >= 2 * one) ?? ['millisecond', 1]
  return counted(Math.round(distance / size), name)
}

/** An index and what sets it apart from its siblings. */
export function indexWords({ index, options }: IndexFigures): string {
  switch (index) {
    case 'none':
      return 'no index: the best guess'
    case 'order':
      return 'order kept (no index of fieldseal)'
    case 'blind':
      if (options.scope) return 'blind index, scope: global'
      return options.bits === undefined ? 'blind index' : `blind index, bits: ${options.bits}`
    case 'range':
      return `range index, step: ${options.step?.replaceAll('"', '')}, sparsity: ${options.sparsity}`
    case 'text':
      return options.words ? 'text index, words' : `text index, prefix: [${options.prefix?.join(', ')}]`
  }
}

export const VERDICTS: { readonly [verdict in Verdict]: string } = {
  use: 'recommended',
  weigh: 'to be weighed',
  avoid: 'advised against',
}

export const INDEX_NAMES = { blind: 'Blind index', range: 'Range index', text: 'Text index' } as const

/** Which rows were attacked, by whom. */
export function attackWords({ field, sample, tenant, tenants }: Advice): string {
  const whose = tenants > 1 ? ` of the tenant ${printable(tenant.id)}` : ''
  return (
    `Attacked: ${counted(sample.attacked, 'value')} of ${field}${whose} (of ${count(tenant.rows)}), in a stolen copy of the database, ` +
    `by somebody who has ${counted(sample.known, 'other value')} of the same distribution and no key.`
  )
}

/** How the values are spread. */
export function valueWords({ values }: Advice): string {
  const { rows, distinct, largest, single } = values
  return (
    `${counted(distinct, 'distinct value')} in ${counted(rows, 'row')}: ${count(single)} occur once, ` +
    `the most frequent one in ${counted(largest, 'row')} (${percent(largest / rows)}).`
  )
}

/** What the figures must not be taken for. */
export function caveats({ rows, sample, tenant }: Advice): string[] {
  return [
    ...(sample.attacked < 100 ? [`With only ${counted(sample.attacked, 'value')} the figures are rough.`] : []),
    ...(sample.attacked < tenant.rows / 2
      ? ['Of all rows a thief guesses more than of a sample: --sample reads a larger one.']
      : []),
    ...(rows.plaintext > 0 ? [`${counted(rows.plaintext, 'value')} in plaintext left out.`] : []),
    ...(rows.unreadable > 0
      ? [`${counted(rows.unreadable, 'value')} that cannot be decrypted left out: fieldseal verify says why.`]
      : []),
  ]
}
