import { isKeysModel, schemaBlocks } from './schemaText.js'

/** A model of a Prisma schema, with the places of what is in it. */
export interface SchemaModel {
  readonly name: string
  readonly isKeys: boolean
  readonly fields: readonly SchemaField[]
  /** `@@unique([a, b])` and the like. */
  readonly attributes: readonly BlockAttribute[]
}

export interface SchemaField {
  readonly name: string
  readonly type: string
  readonly isList: boolean
  readonly isOptional: boolean
  /** What follows the type, without comments. */
  readonly attributes: string
  /** The `///` comments above it and beside it. */
  readonly documentation: string
  /** Where its line begins, in the file. */
  readonly line: number
  /** Where its type begins, and its attributes. */
  readonly typeAt: number
  readonly attributesAt: number
  /** Where its last attribute ends. */
  readonly end: number
  /** Where the next line begins. */
  readonly next: number
  /** A comment stands beside it. */
  readonly hasComment: boolean
}

export interface BlockAttribute {
  readonly text: string
  readonly at: number
  readonly line: number
  readonly next: number
}

const FIELD = /^([ \t]*)(\w+)([ \t]+)(\w+)(\[\])?(\?)?/
const COMMENT_OR_TEXT = /"(?:[^"\\\r\n]|\\.)*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g

/** The models of a schema file. */
export function schemaModels(text: string): SchemaModel[] {
  const code = blanked(text, (piece) => !piece.startsWith('"'))
  // Where a brace or bracket is no text.
  const bare = blanked(text, () => true)
  const lines = lineStarts(text)
  return schemaBlocks(text)
    .filter(({ keyword, begin, end, text: block }) => keyword === 'model' && end > begin && !/@@ignore\b/.test(block))
    .map((block) => {
      const [from, to] = [lines[block.begin + 1]!, lines[block.end]!]
      const fields: SchemaField[] = []
      const attributes: BlockAttribute[] = []
      let above = ''
      for (const { line, end, next } of statements(bare, from, to)) {
        const [source, original] = [code.slice(line, end), text.slice(line, next)]
        const field = FIELD.exec(source)
        const beside = /\S/.test(text.slice(end, next)) ? text.slice(end, next) : ''
        if (field) {
          const typeAt = line + field[1]!.length + field[2]!.length + field[3]!.length
          fields.push({
            ...{ name: field[2]!, type: field[4]!, isList: field[5] !== undefined, isOptional: field[6] !== undefined },
            ...{ attributes: source.slice(field[0].length), attributesAt: line + field[0].length, typeAt },
            ...{ documentation: above + documentationIn(beside), line, end, next, hasComment: beside !== '' },
          })
          above = ''
        } else if (/^\s*@@/.test(source)) {
          attributes.push({ text: source, at: line, line, next })
          above = ''
        } else above += documentationIn(original)
      }
      return { name: block.name, isKeys: isKeysModel(block), fields, attributes }
    })
}

/** A line, or several where an attribute's arguments go on. */
function* statements(bare: string, from: number, to: number): Generator<{ line: number; end: number; next: number }> {
  let line = from
  let depth = 0
  for (let at = from; at < to; at += 1) {
    const character = bare[at]!
    if ('([{'.includes(character)) depth += 1
    if (')]}'.includes(character)) depth -= 1
    if (character !== '\n' || depth > 0) continue
    yield { line, end: line + bare.slice(line, at).trimEnd().length, next: at + 1 }
    line = at + 1
    depth = 0
  }
}

function documentationIn(text: string): string {
  return [...text.matchAll(/\/\/\/[^\r\n]*/g)].map(([comment]) => `${comment}\n`).join('')
}

/** The text with some of its comments and texts made blank, each character in its place. */
function blanked(text: string, isBlank: (piece: string) => boolean): string {
  return text.replace(COMMENT_OR_TEXT, (piece) => (isBlank(piece) ? piece.replace(/[^\r\n]/g, ' ') : piece))
}

function lineStarts(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
}
