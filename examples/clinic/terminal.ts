import { stripVTControlCharacters, styleText } from 'node:util'
import Table from 'cli-table3'

/** Columns that every line fits into, in a window that has them. */
const WIDTH = 100
const columns = Math.min(WIDTH, process.stdout.isTTY ? process.stdout.columns || WIDTH : WIDTH)

const colours = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

type Style = Parameters<typeof styleText>[0]

function styled(style: Style, text: string): string {
  return colours ? styleText(style, text, { validateStream: false }) : text
}

export const bold = (text: string) => styled('bold', text)
export const dim = (text: string) => styled('dim', text)
export const plaintext = (text: string) => styled('green', text)
// Yellow cannot be read on white.
export const ciphertext = (text: string) => styled('magenta', text)
export const errorCode = (text: string) => styled('red', text)

export function line(text = ''): void {
  process.stdout.write(`${text}\n`)
}

let sections = 0

/** A numbered heading, with a sentence below it. */
export function section(title: string, ...explanation: readonly string[]): void {
  sections += 1
  line()
  line(bold(`${sections}  ${title}`))
  for (const sentence of explanation) for (const part of wrapped(sentence, columns - 3)) line(`   ${dim(part)}`)
  line()
}

/** Broken between words; colours take no room. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && stripVTControlCharacters(`${last} ${word}`).length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

const BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: ' ', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ' },
}

/**
 * A table; the columns' widths are given but for the last, which takes what is left. A long cell is wrapped. Where the window
 * is too narrow for that, each cell is a line of its own.
 */
export function table(widths: readonly number[], head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (columns < WIDTH) {
    list(head, rows)
    return
  }
  const last = WIDTH - 1 - widths.reduce((sum, width) => sum + width + 1, 0)
  const out = new Table({
    head: head.map((text) => styled('underline', text)),
    chars: BORDERS,
    colWidths: [...widths, last],
    style: { head: [], border: [], 'padding-left': 1, 'padding-right': 0, compact: true },
    wordWrap: true,
  })
  out.push(...rows.map((row) => [...row]))
  for (const text of out.toString().split('\n')) line(text.trimEnd())
}

function list(head: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const row of rows) {
    for (const [i, cell] of row.entries()) {
      const text = head[i] ? `${dim(`${head[i]}:`)} ${cell}` : cell
      if (cell !== '') line(` ${wrapped(text, columns - 3).join('\n   ')}`)
    }
    line()
  }
}

/** Cuts a text in the middle of a cell, and says so. */
export function cut(text: string, length: number): string {
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}

export function count(number: number): string {
  return number.toLocaleString('en-GB')
}
