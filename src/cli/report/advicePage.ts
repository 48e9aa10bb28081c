import type { Advice, IndexFigures, Recommendation } from '../advise/advice.js'
import { percent } from '../advise/recommendations.js'
import { attackWords, caveats, INDEX_NAMES, indexWords, nearWords, VERDICTS, valueWords } from '../advise/wording.js'
import { count } from '../terminal.js'
import { barRow, legend } from './bars.js'
import { documentOf } from './document.js'
import { escaped, section, table } from './markup.js'

/** The page of `fieldseal advise`. */
export function advicePage(advice: Advice, at: Date): string {
  const { field, type, tenant, tenants } = advice
  return documentOf({
    heading: 'What an index gives away',
    at: at.toISOString(),
    scope: [`${field}, ${type}`, ...(tenants > 1 ? [`tenant ${tenant.id}`] : [])].join(' · '),
    summary: [totals(advice), paragraph(attackWords(advice)), ...caveats(advice).map(paragraph)],
    sections: [
      section('Rows that are guessed', aboutOf(advice), guessesPlot(advice)),
      section('Advice', 'For each kind of index, in its least telling form.', recommendationTable(advice)),
      section('Indexes', 'The figures behind the plot.', indexTable(advice)),
    ],
    footer:
      'Written by fieldseal advise --html. It holds counts, the names of a field and a tenant, and options of indexes; no values and no keys.',
  })
}

function paragraph(text: string): string {
  return `<p class="about">${escaped(text)}</p>`
}

function totals({ values, sample, rows }: Advice): string {
  const entries = [
    ['rows', count(rows.all), rows.null > 0 ? `${count(rows.null)} of them null` : ''],
    ['attacked', count(sample.attacked), `knowing ${count(sample.known)} others`],
    ['distinct values', count(values.distinct), `${count(values.single)} occur once`],
    ['most frequent value', percent(values.largest / values.rows), `of the rows, ${count(values.largest)}`],
  ] as const
  const tile = ([name, figure, more]: (typeof entries)[number]) =>
    `<div><dt>${name}</dt><dd>${figure}${more && `<small>${more}</small>`}</dd></div>`
  return `<dl class="totals">${entries.map(tile).join('\n')}</dl>`
}

function aboutOf(advice: Advice): string {
  return escaped(`By whoever steals the database and knows how such values are distributed. ${valueWords(advice)}`)
}

function guessesPlot({ indexes, near, sample }: Advice): string {
  const hasNear = indexes.some(({ nearly }) => nearly !== null)
  const entries = [
    ['guessed', 'plaintext'],
    ...(hasNear ? [[`guessed ${nearWords(near)}`, 'unknown'] as const] : []),
    ['not guessed', 'encrypted'],
  ] as const
  return [legend(entries), ...indexes.map((one) => bar(one, nearWords(near), sample))].join('\n')
}

function bar(figures: IndexFigures, near: string, sample: Advice['sample']): string {
  const { exactly, nearly, options } = figures
  const rows = options.scope === 'global' ? (sample.everyones ?? 0) : sample.attacked
  const exact = Math.round(exactly * rows)
  const close = Math.round((nearly ?? exactly) * rows)
  return barRow({
    name: indexWords(figures),
    parts: [
      { size: exact, kind: 'plaintext', name: 'guessed' },
      { size: close - exact, kind: 'unknown', name: `guessed ${near}` },
      { size: rows - close, kind: 'encrypted', name: 'not guessed' },
    ],
    figures: [`${percent(exactly)} guessed`, ...(nearly === null ? [] : [`${percent(nearly)} ${near}`])],
  })
}

function recommendationTable({ recommendations }: Advice): string {
  const line = ({ index, verdict, annotation, why }: Recommendation) => {
    const heading = `${INDEX_NAMES[index as keyof typeof INDEX_NAMES]}: ${VERDICTS[verdict]}`
    const code = annotation === null ? '' : `<br><code>${escaped(annotation)}</code>`
    return `<p class="about"><strong>${escaped(heading)}</strong>; ${escaped(why)}.${code}</p>`
  }
  return recommendations.map(line).join('\n')
}

function indexTable({ indexes, near }: Advice): string {
  const cell = (number: number | null) => (number === null ? '' : count(number))
  return table(
    ['index', 'tokens a row', 'largest group', 'guessed', nearWords(near)],
    indexes.map((one) => [
      ...[indexWords(one), cell(one.tokens), cell(one.largest), percent(one.exactly)],
      one.nearly === null ? '' : percent(one.nearly),
    ]),
  )
}
