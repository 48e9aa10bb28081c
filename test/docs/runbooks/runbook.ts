import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the pages are. */
export const RUNBOOKS = 'docs/runbooks'

/** Something that a page has the operator paste: into a shell, or into the database. */
export interface Block {
  /** The heading that it is under, such as `3. Restore`; empty before the first. */
  readonly section: string
  readonly language: 'bash' | 'sql'
  readonly text: string
}

/** What a page has the operator paste, in its order. */
export function blocksOf(page: string): Block[] {
  const sections = readFileSync(join(RUNBOOKS, page), 'utf8').split(/^(?=## )/m)
  return sections.flatMap((text) => {
    const section = /^## (.*)\n/.exec(text)?.[1] ?? ''
    const fences = text.matchAll(/^ *```(bash|sql)\n([\s\S]*?)^ *```$/gm)
    return Array.from(fences, ([, language, block]) => ({
      section,
      language: language as Block['language'],
      text: block!.trim(),
    }))
  })
}

/** The commands of a block of `bash`, each as the arguments of `fieldseal`. */
export function commandsOf({ text }: Block): string[][] {
  return text.split('\n').map((line) => {
    const [, args] = /^ *npx fieldseal (.+)$/.exec(line) ?? []
    if (args === undefined) throw new Error(`a command of another program: ${line}`)
    return args.split(' ')
  })
}

/** The statements of a block of `sql`. */
export function statementsOf({ text }: Block): string[] {
  return text
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}
