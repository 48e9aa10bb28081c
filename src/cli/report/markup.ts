import { printable } from '../../printable.js'

/** Text as HTML shows it, and in the order in which it is written. */
export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A table that scrolls by itself where a window is too narrow for it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
  const body = rows.map((row) => line(row, 'td')).join('\n')
  return `<div class="scroll" tabindex="0"><table><thead>${line(head, 'th')}</thead><tbody>${body}</tbody></table></div>`
}

/** A part of the page with its heading; nothing without content. */
export function section(heading: string, explanation: string, content: string): string {
  if (content === '') return ''
  return `<section>\n<h2>${heading}</h2>\n<p class="about">${explanation}</p>\n${content}\n</section>`
}
