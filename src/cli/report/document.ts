import { PATTERNS } from './bars.js'
import { escaped } from './markup.js'
import { styleOf } from './style.js'

/** What stands on a page. */
export interface ReportDocument {
  /** The heading. */
  readonly heading: string
  readonly at: string
  /** What it is confined to, in words; empty for everything. */
  readonly scope: string
  /** The first things to see: markup. */
  readonly summary: readonly string[]
  /** The sections of the page: markup, empty for one that is left out. */
  readonly sections: readonly string[]
  /** What is in it, and what is not. */
  readonly footer: string
}

/** A page by itself, without scripts and without anything to load, that also looks right on paper. */
export function documentOf({ heading, at, scope, summary, sections, footer }: ReportDocument): string {
  const name = `fieldseal: ${heading.charAt(0).toLowerCase()}${heading.slice(1)}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}, ${at.slice(0, 10)}</title>
<style>${styleOf(name)}
</style>
</head>
<body>
${PATTERNS}
<main>
<h1>${escaped(heading)}</h1>
<p class="when"><time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>${scope && ` · ${escaped(scope)}`}</p>
${summary.join('\n')}
${sections.filter(Boolean).join('\n')}
</main>
<footer>${footer}</footer>
</body>
</html>
`
}
