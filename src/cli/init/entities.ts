import { withoutComments } from './findDataSource.js'
import type { TextFile } from './plan.js'

/** A class with `@Entity`, as far as its text tells. */
export interface FoundEntity {
  readonly name: string
  readonly path: string
  readonly columns: readonly EntityColumn[]
  /** Properties with `@Encrypted`, `@BlindIndex` and `@Tenant`. */
  readonly encrypted: readonly string[]
  readonly indexed: readonly string[]
  readonly tenant: string | undefined
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
  /** The column's type in the database, where it is written. */
  readonly column: string | undefined
  readonly hasDefault: boolean
}

const CLASS = /@(?:Entity|ChildEntity)\s*\((?:(?!\bclass\b)[\s\S])*?\bclass\s+(\w+)[^{]*\{([\s\S]*?)\n\}/g
const ARGUMENTS = String.raw`\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)`
/** Further decorators, and the property behind them. */
const PROPERTY = String.raw`(?<others>(?:\s*@\w+\s*(?:<\w+>)?\s*${ARGUMENTS})*)\s*(?:(?:public|private|protected|readonly|declare)\s+)*(?<name>\w+)\s*(?<sign>[!?]?)\s*:\s*(?<type>[^=;\n]+)`

/** The entities of a project. Good enough for proposals: what is not found is marked by hand. */
export function findEntities(sources: readonly TextFile[]): FoundEntity[] {
  return sources.flatMap(({ path, text }) =>
    [...withoutComments(text).matchAll(CLASS)].map(([, name, body]) => ({
      ...{ name: name!, path, columns: columnsOf(body!) },
      encrypted: decorated(body!, 'Encrypted'),
      indexed: [...body!.matchAll(/@BlindIndex\s*(?:<\w+>)?\s*\(\s*['"](\w+)['"]/g)].map(([, source]) => source!),
      tenant: decorated(body!, 'Tenant')[0],
    })),
  )
}

function columnsOf(body: string): EntityColumn[] {
  return propertiesWith('Column', body)
    .filter(({ others }) => !/@(Encrypted|BlindIndex|Primary\w*)\b/.test(others))
    .map(({ name, sign, type, given, others }) => {
      const [shown, ...nulls] = type.split('|').map((part) => part.trim())
      return {
        ...{ name, sign, type: shown! },
        isNullable: nulls.includes('null') || /\bnullable\s*:\s*true\b/.test(given),
        isUnique: /\bunique\s*:\s*true\b/.test(given) || /@Index\s*\([^)]*unique\s*:\s*true/.test(others),
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
  readonly others: string
}

function propertiesWith(decorator: string, body: string): Property[] {
  const found = new RegExp(String.raw`@${decorator}\s*(?<given>${ARGUMENTS})${PROPERTY}`, 'g')
  return [...body.matchAll(found)].map(({ groups }) => groups as unknown as Property)
}

function decorated(body: string, decorator: string): string[] {
  return propertiesWith(decorator, body).map(({ name }) => name)
}
