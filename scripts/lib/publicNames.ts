import { resolve } from 'node:path'
import ts from 'typescript'

/** What an entry point of the package gives to its users, by its name. */
export interface PublicName {
  readonly name: string
  readonly kind: 'function' | 'class' | 'value' | 'type'
  /** The first sentence of its comment, or nothing. */
  readonly says: string
  /** Of an object of options: what may stand in it. */
  readonly options: readonly { readonly name: string; readonly says: string }[]
}

/**
 * The exports of entry points, as the compiler sees them.
 *
 * @param entries source files by entry point
 */
export function publicNames(entries: ReadonlyMap<string, string>): Map<string, PublicName[]> {
  const { config } = ts.readConfigFile(resolve('tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, resolve('.'))
  const program = ts.createProgram(
    [...entries.values()].map((path) => resolve(path)),
    options,
  )
  const checker = program.getTypeChecker()
  return new Map(
    Array.from(entries, ([entry, path]) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(resolve(path))!)!
      const names = checker.getExportsOfModule(module).map((symbol) => publicName(checker, symbol))
      return [entry, names.toSorted((a, b) => (a.name < b.name ? -1 : 1))]
    }),
  )
}

function publicName(checker: ts.TypeChecker, exported: ts.Symbol): PublicName {
  const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
  const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
  const name = exported.name
  const kind = kindOf(symbol, exported)
  return { name, kind, says: firstSentence(checker, symbol), options: optionsOf(checker, symbol) }
}

function kindOf(symbol: ts.Symbol, exported: ts.Symbol): PublicName['kind'] {
  const typeOnly = exported.declarations?.some((one) => ts.isExportSpecifier(one) && isTypeOnly(one))
  if (typeOnly) return 'type'
  if (symbol.flags & ts.SymbolFlags.Function) return 'function'
  if (symbol.flags & ts.SymbolFlags.Class) return 'class'
  return symbol.flags & ts.SymbolFlags.Variable ? 'value' : 'type'
}

const isTypeOnly = (specifier: ts.ExportSpecifier) => specifier.isTypeOnly || specifier.parent.parent.isTypeOnly

function optionsOf(checker: ts.TypeChecker, symbol: ts.Symbol): PublicName['options'] {
  if (!/(Options|Config)$/.test(symbol.name) || !(symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)))
    return []
  const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
  return members.map((member) => ({ name: member.name, says: firstSentence(checker, member) }))
}

function firstSentence(checker: ts.TypeChecker, symbol: ts.Symbol): string {
  const comment = ts.displayPartsToString(symbol.getDocumentationComment(checker))
  const [paragraph] = comment.split(/\n\s*\n|\n- |^- /)
  const text = paragraph!.replace(/\s+/g, ' ').trim()
  return /^.*?[.:](?= [A-Z`]|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text
}
