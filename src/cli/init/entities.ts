import { withoutComments } from './findDataSource.js'
import type { TextFile } from './plan.js'

/** A class with `@Entity`, as far as its text tells. */
export interface FoundEntity {
  readonly name: string
  readonly path: string
  readonly columns: readonly EntityColumn[]
  readonly keys: readonly EntityKey[]
  /** Properties with `@Encrypted`, `@BlindIndex` and `@Tenant`. */
  readonly encrypted: readonly string[]
  readonly indexed: readonly string[]
  readonly tenant: string | undefined
}

/** `@Index` or `@Unique` of the class, over properties that it lists. */
export interface EntityKey {
  readonly kind: 'Index' | 'Unique'
  readonly isUnique: boolean
  readonly properties: readonly string[]
  /** The list as written, what is before it in the parentheses, and what follows it. */
  readonly before: string
  readonly list: string
  readonly rest: string
}

/** A property with `@Column`. */
export interface EntityColumn {
  readonly name: string
  /** Of TypeScript, without `| null`. */
  readonly type: string
  /** As written: `!`, `?` or nothing. */
  readonly sign: string
  readonly isNullable: boolean
  readonly isUnique: boolean
  /** It has an index of its own. */
  readonly isIndexed: boolean
  /** The column's type in the database, where it is written. */
  readonly column: string | undefined
  readonly hasDefault: boolean
}

const CLASS = /@(?:Entity|ChildEntity)\s*\((?:(?!\bclass\b)[\s\S])*?\bclass\s+(\w+)[^{]*\{([\s\S]*?)\n\}/g
const ARGUMENTS = String.raw`\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`
const DECORATORS_AT_END = new RegExp(String.raw`(?:@\w+\s*(?:<\w+>)?\s*${ARGUMENTS}\s*)+$`)
const KEY = new RegExp(String.raw`@(Index|Unique)\s*(?:<\w+>)?\s*(${ARGUMENTS})`, 'g')
/** Further decorators, and the property behind them. */
const PROPERTY = String.raw`(?<others>(?:\s*@\w+\s*(?:<\w+>)?\s*${ARGUMENTS})*)\s*(?:(?:public|private|protected|readonly|declare)\s+)*(?<name>\w+)\s*(?<sign>[!?]?)\s*:\s*(?<type>[^=;\n]+)`

/** The entities of a project. Good enough for proposals: what is not found is marked by hand. */
export function findEntities(sources: readonly TextFile[]): FoundEntity[] {
  return sources.flatMap(({ path, text }) => {
    const code = withoutComments(text)
    return [...code.matchAll(CLASS)].map(({ 0: all, 1: name, 2: body, index }) => ({
      ...{ name: name!, path, columns: columnsOf(body!) },
      keys: keysIn(decoratorsBefore(code, index) + all.slice(0, all.search(/\bclass\b/))),
      encrypted: decorated(body!, 'Encrypted'),
      indexed: [...body!.matchAll(/@BlindIndex\s*(?:<\w+>)?\s*\(\s*['"](\w+)['"]/g)].map(([, source]) => source!),
      tenant: decorated(body!, 'Tenant')[0],
    }))
  })
}

function keysIn(decorators: string): EntityKey[] {
  return [...decorators.matchAll(KEY)].flatMap(([, kind, given]): EntityKey[] => {
    const found = /\[[^\]]*\]/.exec(given!)
    if (!found) return []
    const [list] = found
    return [
      {
        kind: kind as EntityKey['kind'],
        isUnique: kind === 'Unique' || /\bunique\s*:\s*true\b/.test(given!),
        properties: [...list.matchAll(/['"](\w+)['"]|\.(\w+)/g)].map(([, named, read]) => (named ?? read)!),
        ...{ before: given!.slice(0, found.index), list, rest: given!.slice(found.index + list.length) },
      },
    ]
  })
}

function decoratorsBefore(code: string, at: number): string {
  return DECORATORS_AT_END.exec(code.slice(0, at))?.[0] ?? ''
}

function columnsOf(body: string): EntityColumn[] {
  return propertiesWith('Column', body)
    .filter(({ others }) => !/@(Encrypted|BlindIndex|Primary\w*)\b/.test(others))
    .map(({ name, sign, type, given, others }) => {
      const isUnique = /\bunique\s*:\s*true\b/.test(given) || /@Unique\b|@Index\s*\([^)]*unique\s*:\s*true/.test(others)
      const [shown, ...nulls] = type.split('|').map((part) => part.trim())
      return {
        ...{ name, sign, type: shown! },
        isNullable: nulls.includes('null') || /\bnullable\s*:\s*true\b/.test(given),
        ...{ isUnique, isIndexed: isUnique || /@Index\b/.test(others) },
        column: /^\(\s*['"](\w[\w ]*)['"]/.exec(given)?.[1] ?? /\btype\s*:\s*['"]([\w ]+)['"]/.exec(given)?.[1],
        hasDefault: /\bdefault\s*:/.test(given),
      }
    })
}

interface Property {
  readonly name: string
  readonly sign: string
  readonly type: string
  /** The decorator's arguments, in their parentheses. */
  readonly given: string
  /** The decorators before it and behind it. */
  readonly others: string
}

function propertiesWith(decorator: string, body: string): Property[] {
  const found = new RegExp(String.raw`@${decorator}\s*(?<given>${ARGUMENTS})${PROPERTY}`, 'g')
  return [...body.matchAll(found)].map(({ groups, index }) => {
    const property = groups as unknown as Property
    return { ...property, others: decoratorsBefore(body, index) + property.others }
  })
}

function decorated(body: string, decorator: string): string[] {
  return propertiesWith(decorator, body).map(({ name }) => name)
}
