import { FieldsealError } from '../../errors.js'
import type { Argument, Scalar, Value } from '../../schema/annotation.js'
import { type Token, tokenAt } from './annotationToken.js'

/**
 * Reads the arguments of an annotation by the grammar of docs/annotations.md.
 *
 * @param text what stands after the annotation's name
 * @returns the arguments, and the offset in `text` after the closing parenthesis (0 when there are none)
 * @throws FieldsealError `SCHEMA_INVALID` naming what was expected where
 */
export function parseArguments(text: string): { args: Argument[]; end: number } {
  if (!/^[^\S\n]*\(/.test(text)) return { args: [], end: 0 }
  const cursor = new Cursor(text)
  cursor.expect('(')
  const args = separated(cursor, ')', parseArgument)
  return { args, end: cursor.take().end }
}

function parseArgument(cursor: Cursor): Argument {
  if (cursor.peek().kind !== 'identifier' || cursor.peek(1).text !== ':') return { value: parseValue(cursor) }
  const name = cursor.take().text
  cursor.expect(':')
  return { name, value: parseValue(cursor) }
}

function parseValue(cursor: Cursor): Value {
  if (cursor.peek().text !== '[') return parseScalar(cursor)
  cursor.expect('[')
  const items = separated(cursor, ']', parseScalar)
  cursor.expect(']')
  return { kind: 'list', items }
}

function parseScalar(cursor: Cursor): Scalar {
  const token = cursor.peek()
  switch (token.kind) {
    case 'identifier':
      return { kind: token.kind, text: cursor.take().text }
    case 'string':
      return { kind: token.kind, text: JSON.parse(cursor.take().text) as string }
    case 'number':
      return numberOf(cursor.take().text.replaceAll('_', ''))
    case 'punctuation':
    case 'unknown':
    case 'end':
      throw unexpected(token, 'a name, a list [a, b], a number or a text in double quotes')
  }
}

function numberOf(text: string): Scalar {
  return { kind: 'number', number: Number(text), text }
}

function separated<T>(cursor: Cursor, close: string, parseItem: (cursor: Cursor) => T): T[] {
  const items: T[] = []
  if (cursor.peek().text === close) return items
  for (;;) {
    items.push(parseItem(cursor))
    if (cursor.peek().text === close) return items
    if (cursor.peek().text !== ',') throw unexpected(cursor.peek(), `\`,\` or \`${close}\``)
    cursor.take()
  }
}

class Cursor {
  #offset = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  peek(ahead = 0): Token {
    let token = tokenAt(this.#text, this.#offset)
    for (let i = 0; i < ahead; i++) token = tokenAt(this.#text, token.end)
    return token
  }

  take(): Token {
    const token = this.peek()
    this.#offset = token.end
    return token
  }

  expect(punctuation: string): void {
    const token = this.take()
    if (token.text !== punctuation) throw unexpected(token, `\`${punctuation}\``)
  }
}

function unexpected(token: Token, wanted: string): FieldsealError {
  const found = token.kind === 'end' ? 'the documentation ends' : `\`${token.text}\` stands`
  return new FieldsealError('SCHEMA_INVALID', `${found} where ${wanted} should be${hint(token)}`)
}

function hint(token: Token): string {
  if (token.text === '"' || token.text === "'") return '; a text stands in double quotes, closed on the same line'
  if (token.text === '.') return '; a text with a dot stands in double quotes: as: "User.email"'
  if (/^-?\d/.test(token.text)) return '; a date or duration stands in double quotes: min: "1900-01-01", step: "1d"'
  if (/[（）［］，：＂“”]/u.test(token.text)) return '; type the ASCII character'
  return ''
}
