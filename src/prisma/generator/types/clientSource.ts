import { FieldsealError } from '../../../errors.js'
import { isInherited } from '../../../own.js'

/** A property line: `  email?: Prisma.StringFilter<"User"> | string`. */
export interface Property {
  readonly name: string
  /** Up to the colon: `email?`. */
  readonly key: string
  /** Behind the colon, without what {@link SKIP} adds. */
  readonly type: string
}

/** A type of a generated file, by the numbers of its first and last line. */
export interface Declaration {
  readonly name: string
  readonly first: number
  readonly last: number
}

/** What `strictUndefinedChecks` adds to every optional argument. */
export const SKIP = ' | runtime.Types.Skip'

const DECLARATION = /^export (?:type|interface) ([$\w]+)\b.*\{$/
const PROPERTY = /^( +(?:readonly )?)(\w+)(\??): (.+)$/

/**
 * A TypeScript file that Prisma generated, line by line: Prisma writes a property to a line, and ends a type with a
 * line that starts with a brace. Whatever is not found stops `prisma generate`: types that are only half narrowed
 * would lie.
 */
export class ClientSource {
  readonly #lines: string[]
  readonly #declarations: ReadonlyMap<string, Declaration>

  constructor(
    readonly file: string,
    text: string,
  ) {
    this.#lines = text.split('\n')
    this.#declarations = declarationsOf(this.#lines)
  }

  get text(): string {
    return this.#lines.join('\n')
  }

  find(name: string): Declaration | undefined {
    return this.#declarations.get(name)
  }

  /** @throws FieldsealError `OPTIONS_INVALID` when there is no such declaration */
  get(name: string): Declaration {
    return this.find(name) ?? this.unexpected(`the type ${name} is missing`)
  }

  /** The object type inside a declaration that one of its properties has. */
  inner({ name, first, last }: Declaration, property: string): Declaration {
    const start = this.#lines.findIndex(
      (line, number) => number > first && number < last && line.startsWith(`  ${property}: `) && line.endsWith('{'),
    )
    const end = this.#lines.findIndex((line, number) => number > start && line.startsWith('  }'))
    if (start === -1 || end === -1) this.unexpected(`${name} has no object \`${property}\``)
    return { name: `${name}.${property}`, first: start, last: end }
  }

  properties({ first, last }: Declaration): Property[] {
    return this.#lines.slice(first + 1, last).flatMap((line) => propertyOf(line) ?? [])
  }

  /**
   * Gives a property another type, and leaves `?`, `readonly` and the allowance of `Prisma.skip` as they are. Prisma leaves
   * fields whose names every object has, as `constructor`, out of the types of arguments.
   *
   * @throws FieldsealError `OPTIONS_INVALID` when it is missing, or its type is not the expected one
   */
  retype(declaration: Declaration, name: string, expected: string, type: string): void {
    if (isInherited(name) && !this.has(declaration, name)) return
    const number = this.#lineOf(declaration, name)
    const [, indent, , , written] = PROPERTY.exec(this.#lines[number]!)!
    const { key, type: present } = propertyOf(this.#lines[number]!)!
    if (present !== expected) {
      this.unexpected(`${declaration.name}.${name} has the type \`${present}\` instead of \`${expected}\``)
    }
    this.#lines[number] = `${indent}${key}: ${type}${written!.endsWith(SKIP) ? SKIP : ''}`
  }

  has(declaration: Declaration, name: string): boolean {
    return this.properties(declaration).some((property) => property.name === name)
  }

  /** Writes something behind a property, on its line. Declarations keep their line numbers. */
  append(declaration: Declaration, name: string, text: string): void {
    this.#lines[this.#lineOf(declaration, name)] += text
  }

  /** Whether strictUndefinedChecks is on for this property. */
  skips(declaration: Declaration, name: string): boolean {
    return this.#lines[this.#lineOf(declaration, name)]!.endsWith(SKIP)
  }

  /** Replaces the last line of a declaration, the one with the closing brace. */
  replaceEnd({ name, last }: Declaration, pattern: RegExp, replacement: string): void {
    const line = this.#lines[last]!
    if (!pattern.test(line)) this.unexpected(`${name} ends with \`${line}\``)
    this.#lines[last] = line.replace(pattern, replacement)
  }

  /**
   * Replaces whole properties by others, wherever they stand, but for their indent and {@link SKIP}.
   *
   * @returns how many of each there were
   */
  replaceAll(replacements: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    this.#lines.forEach((line, number) => {
      const code = line.trim()
      const property = code.endsWith(SKIP) ? code.slice(0, -SKIP.length) : code
      const replacement = replacements.get(property)
      if (replacement === undefined) return
      this.#lines[number] = line.replace(property, () => replacement)
      counts.set(property, (counts.get(property) ?? 0) + 1)
    })
    return counts
  }

  /** A property that has one of the types given for its name, anywhere. */
  leftOver(types: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
    return this.#lines.find((line) => {
      const property = propertyOf(line)
      return property !== undefined && types.get(property.name)?.has(property.type)
    })
  }

  unexpected(what: string): never {
    throw unexpectedShape(this.file, what)
  }

  #lineOf({ name: owner, first, last }: Declaration, name: string): number {
    for (let number = first + 1; number < last; number += 1) {
      if (propertyOf(this.#lines[number]!)?.name === name) return number
    }
    return this.unexpected(`${owner} has no property ${name}`)
  }
}

/** The error of types that cannot be narrowed. */
export function unexpectedShape(file: string, what: string): FieldsealError {
  return new FieldsealError(
    'OPTIONS_INVALID',
    `the generated client no longer has the expected shape: in ${file}, ${what}; set \`types = "off"\` in the ` +
      'generator block of fieldseal to keep the types that Prisma gives, and use a Prisma 7.10 version that fieldseal knows',
  )
}

function propertyOf(line: string): Property | undefined {
  const found = PROPERTY.exec(line)
  if (found === null) return undefined
  const [, , name, optional, type] = found
  return { name: name!, key: `${name}${optional}`, type: type!.endsWith(SKIP) ? type!.slice(0, -SKIP.length) : type! }
}

function declarationsOf(lines: readonly string[]): Map<string, Declaration> {
  const found = new Map<string, Declaration>()
  let open: { readonly name: string; readonly first: number } | undefined
  lines.forEach((line, number) => {
    const name = DECLARATION.exec(line)?.[1]
    if (name !== undefined) open = { name, first: number }
    else if (open !== undefined && line.startsWith('}')) {
      found.set(open.name, { ...open, last: number })
      open = undefined
    }
  })
  return found
}
