import { scanSql, type Token } from './parser.js'
import { unsupported } from './refusals.js'
import type { Piece } from './statementPlan.js'

/** From a token to another one, the last included. */
export interface TokenRange {
  readonly first: number
  readonly last: number
}

interface Edit {
  /** In bytes. */
  readonly from: number
  readonly to: number
  readonly pieces: readonly Piece[]
}

/** The text of a statement by its tokens, and what is to be changed in it. */
export class SqlText {
  readonly #bytes: Buffer
  readonly #edits = new Map<string, Edit>()
  readonly #positions: ReadonlyMap<number, number>
  readonly tokens: readonly Token[]

  constructor(text: string) {
    this.#bytes = Buffer.from(text)
    this.tokens = scanSql(text).filter(({ tokenName }) => !tokenName.endsWith('_COMMENT'))
    this.#positions = new Map(this.tokens.map(({ start }, position) => [start, position]))
  }

  /** The token that begins where the parser says that a node does. */
  tokenAt(location = 0): number {
    const position = this.#positions.get(location)
    if (position === undefined) throw unsupported('this spelling of a statement on encrypted columns is not understood')
    return position
  }

  textOf({ first, last }: TokenRange): string {
    return this.#slice(this.tokens[first]!.start, this.tokens[last]!.end)
  }

  replace({ first, last }: TokenRange, ...pieces: readonly Piece[]): void {
    this.#edit({ from: this.tokens[first]!.start, to: this.tokens[last]!.end, pieces })
  }

  insertBefore(token: number, ...pieces: readonly Piece[]): void {
    this.#insert(this.tokens[token]!.start, pieces)
  }

  insertAfter(token: number, ...pieces: readonly Piece[]): void {
    this.#insert(this.tokens[token]!.end, pieces)
  }

  /** The changed text; parameters of which nothing is said stay what they are. */
  pieces(): Piece[] {
    for (const { tokenName, text, start, end } of this.tokens) {
      if (tokenName !== 'PARAM') continue
      this.#edits.set(`${start}-${end}`, this.#edits.get(`${start}-${end}`) ?? plainParameter(start, end, text))
    }
    const pieces: Piece[] = []
    let at = 0
    for (const edit of [...this.#edits.values()].sort(inOrder)) {
      if (edit.from < at) {
        if (edit.to <= at && isPlain(edit)) continue
        throw unsupported('this nesting of encrypted columns in one statement is not understood')
      }
      pieces.push(this.#slice(at, edit.from), ...edit.pieces)
      at = edit.to
    }
    pieces.push(this.#slice(at, this.#bytes.length))
    return pieces.filter((piece) => piece !== '')
  }

  #insert(at: number, pieces: readonly Piece[]): void {
    const before = this.#edits.get(`${at}-${at}`)?.pieces ?? []
    this.#edit({ from: at, to: at, pieces: [...before, ...pieces] })
  }

  #edit(edit: Edit): void {
    this.#edits.set(`${edit.from}-${edit.to}`, edit)
  }

  #slice(from: number, to: number): string {
    return this.#bytes.toString('utf8', from, to)
  }
}

/** What is added comes before what is replaced, and the whole before its parts. */
function inOrder(a: Edit, b: Edit): number {
  return a.from - b.from || Number(a.to > a.from) - Number(b.to > b.from) || b.to - a.to
}

function plainParameter(from: number, to: number, text: string): Edit {
  return { from, to, pieces: [{ kind: 'plain', param: Number(text.slice(1)) }] }
}

/** A parameter inside of what was replaced as a whole. */
function isPlain({ pieces }: Edit): boolean {
  return pieces.length === 1 && typeof pieces[0] === 'object' && pieces[0].kind === 'plain'
}

/** From the first of some parts to the last, with the parentheses around each that the tree does not show. */
export function wholeRange({ tokens }: SqlText, parts: readonly TokenRange[]): TokenRange {
  let first = Math.min(...parts.map((part) => part.first))
  let last = Math.max(...parts.map((part) => part.last))
  let open = 0
  for (let at = first; at <= last; at += 1) {
    const { text } = tokens[at]!
    if (text === '(') open += 1
    if (text !== ')') continue
    if (open > 0) open -= 1
    else first = parenthesis(tokens, first - 1, '(')
  }
  for (; open > 0; open -= 1) last = parenthesis(tokens, last + 1, ')')
  return { first, last }
}

function parenthesis(tokens: SqlText['tokens'], at: number, wanted: string): number {
  if (tokens[at]?.text !== wanted)
    throw unsupported('this spelling of a condition on an encrypted column is not understood')
  return at
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
