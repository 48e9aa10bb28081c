import { styleText } from 'node:util'
import Table from 'cli-table3'

/** Columns that every line fits into. */
const WIDTH = 100

const colours = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb'

type Style = Parameters<typeof styleText>[0]

function styled(style: Style, text: string): string {
  return colours ? styleText(style, text, { validateStream: false }) : text
}

export const bold = (text: string) => styled('bold', text)
export const dim = (text: string) => styled('dim', text)
export const plaintext = (text: string) => styled('green', text)
export const ciphertext = (text: string) => styled('yellow', text)
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
  for (const sentence of explanation) line(`   ${dim(sentence)}`)
  line()
}

const BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: ' ', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ' },
}

/** A table; the columns' widths are given but for the last, which takes what is left. A long cell is wrapped. */
export function table(widths: readonly number[], head: readonly string[], rows: readonly (readonly string[])[]): void {
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

/** Cuts a text in the middle of a cell, and says so. */
export function cut(text: string, length: number): string {
  const characters = [...text]
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`
}

export function count(number: number): string {
  return number.toLocaleString('en-GB')
}
