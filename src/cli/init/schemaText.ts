/** A block of a Prisma schema, by the lines of its file. */
export interface SchemaBlock {
  readonly keyword: string
  readonly name: string
  /** The line with the opening brace, from 0. */
  readonly begin: number
  /** The line with the closing brace. */
  readonly end: number
  /** The documentation above it and the lines inside. */
  readonly text: string
}

const HEADER = /^\s*(model|view|type|enum|generator|datasource)\s+(\w+)\s*\{/
const END = /^\s*\}/
const EMPTY = /^[^{]*\{\s*\}/

/** Finds the blocks of a schema. Prisma ends a block by a brace at the beginning of a line, whatever comments hold. */
export function schemaBlocks(text: string): SchemaBlock[] {
  const lines = text.split(/\r?\n/)
  const blocks: SchemaBlock[] = []
  let open: { keyword: string; name: string; begin: number; from: number } | undefined
  lines.forEach((line, number) => {
    const header = open ? null : HEADER.exec(line)
    if (header) open = { keyword: header[1]!, name: header[2]!, begin: number, from: documentedFrom(lines, number) }
    if (!open || !(END.test(line) || (header && EMPTY.test(line)))) return
    const { from, ...block } = open
    blocks.push({ ...block, end: number, text: lines.slice(from, number + 1).join('\n') })
    open = undefined
  })
  return blocks
}

function documentedFrom(lines: readonly string[], header: number): number {
  let from = header
  while (from > 0 && /^\s*\/\/\//.test(lines[from - 1]!)) from -= 1
  return from
}

/** The value of a setting in a generator or datasource block: `provider = "postgresql"`. */
export function setting({ text }: SchemaBlock, name: string): string | undefined {
  return new RegExp(`^\\s*${name}\\s*=\\s*"((?:[^"\\\\]|\\\\.)*)"`, 'm').exec(text)?.[1]
}

/** Whether a block is the model that stores the keys. */
export function isKeysModel({ keyword, text }: SchemaBlock): boolean {
  return keyword === 'model' && /^\s*\/\/\/.*@encryptionKeys\b/m.test(text)
}

/** The line ends of a file. */
export function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

/** Something put at a place of a text, in the place of what is taken out there. */
export interface TextEdit {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

/** What is inserted at one place stays in its order. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  return edits
    .map((edit, order) => ({ ...edit, order }))
    .sort((one, other) => other.at - one.at || other.order - one.order)
    .reduce((result, { at, remove, insert }) => result.slice(0, at) + insert + result.slice(at + remove), text)
}

/** Puts lines behind a line, in the line ends of the file. */
export function insertAfter(text: string, line: number, inserted: string): string {
  const lines = text.split(/\r?\n/)
  lines.splice(line + 1, 0, ...inserted.split('\n'))
  return lines.join(lineEndOf(text))
}

/** Puts a block at the end, after an empty line. */
export function append(text: string, block: string): string {
  const end = lineEndOf(text)
  const before = text === '' || /\n\s*$/.test(text) ? text.replace(/(\r?\n)+$/, end) : text + end
  return `${before}${text === '' ? '' : end}${block.split('\n').join(end)}${end}`
}
