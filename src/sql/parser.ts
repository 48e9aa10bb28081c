import { loadModule, type Node, parseSync, type ScanToken, scanSync } from 'libpg-query'

/** Loads PostgreSQL's own parser, which is compiled to WebAssembly. Nothing can be parsed before. */
export function loadParser(): Promise<void> {
  return loadModule()
}

/**
 * The statements of an SQL text.
 *
 * @throws the parser's error for what is no SQL
 */
export function parseSql(text: string): Node[] {
  return (parseSync(text).stmts ?? []).flatMap(({ stmt }) => stmt ?? [])
}

export type Token = ScanToken

/** The tokens of an SQL text that can be parsed; their places are in bytes of UTF-8. */
export function scanSql(text: string): readonly Token[] {
  return scanSync(text).tokens
}
