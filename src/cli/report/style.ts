import { DARK_KINDS, DARK_PATTERNS, KINDS } from './bars.js'

/** A rule beats what a bar's own attribute says, so that the markup is the same by day and by night. */
function darkKinds(): string {
  const rules = Object.entries(DARK_KINDS).map(
    ([kind, colour]) => `rect[fill="${KINDS[kind as keyof typeof DARK_KINDS]}"] { fill: ${colour}; }`,
  )
  const patterns = Object.entries(DARK_PATTERNS).map(
    ([name, colour]) => `#${name} rect:first-child { fill: ${colour}; }`,
  )
  return [...rules, ...patterns].map((rule) => `  ${rule}`).join('\n')
}

/**
 * For windows from 320 pixels on, and for paper of any size.
 *
 * @param name of the page, at the foot of each sheet: letters, digits, blanks, colons, dots
 */
export function styleOf(name: string): string {
  return `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2833; --soft: #55606b; --line: #d9dde1; --ground: #f0f2f4;
  --bad: #a34700; --open: #005a8c; --good: #00694c; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "Open Sans", sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; font-variant-numeric: tabular-nums; font-variant-ligatures: none; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 0; }
section { margin-top: 2.25rem; }
.about, .when { color: var(--soft); margin: .15rem 0 .75rem; max-width: 46rem; }
.verdict { display: inline-block; font-weight: 600; margin: 0 0 1rem; padding: .2rem .7rem; border: 2px solid; border-radius: .4rem; }
.bad { color: var(--bad); } .open { color: var(--open); } .good { color: var(--good); }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0; }
.totals div { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; break-inside: avoid; }
.totals dt { color: var(--soft); font-size: .8rem; } .totals dd { margin: 0; font-size: 1.35rem; font-weight: 600; line-height: 1.3; }
.totals small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; }
.patterns { position: absolute; width: 0; height: 0; }
.legend { margin: 0 0 .5rem; font-size: .85rem; color: var(--soft); display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
.legend span { white-space: nowrap; } .legend svg { width: .85rem; height: .85rem; margin-right: .4rem; vertical-align: -.1rem; }
.row { display: grid; grid-template-columns: 13rem 1fr 11rem; gap: 1rem; align-items: center; break-inside: avoid; padding: .2rem 0; }
.row svg { display: block; width: 100%; height: 1.2rem; } .ground { fill: var(--ground); }
.name { overflow-wrap: anywhere; }
.figures { color: var(--soft); font-size: .9rem; line-height: 1.3; display: flex; flex-wrap: wrap; gap: 0 .8rem; }
.figures span { min-width: 0; overflow-wrap: anywhere; }
.totals + p { margin-top: .75rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child, .keys :is(th, td):last-child { text-align: left; }
tr { break-inside: avoid; }
footer { margin-top: 2.25rem; color: var(--soft); font-size: .8rem; border-top: 1px solid var(--line); padding-top: .6rem; }
@media (max-width: 42rem) {
  .row { grid-template-columns: 1fr; gap: .1rem; padding: .4rem 0; }
  .totals { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 7rem; } th, td { padding: .3rem .4rem; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #14181c; --ink: #e4e8ec; --soft: #a9b3bd; --line: #3a424b; --ground: #262d34;
    --bad: #ff9d57; --open: #6cb8ee; --good: #4cc79b; }
${darkKinds()}
}
@media print {
  @page { margin: 16mm 14mm 18mm; @bottom-left { content: "${name}"; font: 8pt sans-serif; font-variant-ligatures: none; color: #55606b; }
    @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; font-variant-ligatures: none; color: #55606b; } }
  body { font-size: 10pt; max-width: none; padding: 0; }
  .row { grid-template-columns: 11rem 1fr 9rem; gap: .8rem; padding: .1rem 0; }
  .totals { grid-template-columns: repeat(3, 1fr); }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } th, td { padding: .12rem .5rem; } th { white-space: normal; }
  td:first-child, .keys td:last-child { overflow-wrap: anywhere; white-space: normal; }
  svg rect, .ground { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, .about, .legend { break-after: avoid; } section, footer { margin-top: 1.2rem; }
}`
}
