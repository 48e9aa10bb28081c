import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { TextFile } from './plan.js'

/** A file of the project that exports a data source. */
export interface FoundDataSource {
  readonly file: TextFile
  /** What it is exported as; `default` for the default export. */
  readonly name: string
  /** Whether `fieldEncryption` is called there. */
  readonly encrypts: boolean
}

const ENDINGS = /\.[cm]?[jt]s$/
/** What others have written, or programs. */
const FOREIGN = /^(node_modules|dist|build|out|coverage|generated|\..*)$/
const TEST = /(^|[/\\])(tests?|__tests__|e2e)[/\\]|\.(test|spec|e2e-spec)\.[cm]?[jt]s$/

/** The sources of a project, without its tests. */
export function readSources(root: string): TextFile[] {
  return pathsIn(root).map((path) => ({ path: join(root, path), text: readFileSync(join(root, path), 'utf8') }))
}

function pathsIn(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry): string[] => {
      const path = join(folder, entry.name)
      if (FOREIGN.test(entry.name) || TEST.test(`${path}${entry.isDirectory() ? sep : ''}`)) return []
      if (entry.isDirectory()) return pathsIn(root, path)
      return entry.isFile() && ENDINGS.test(path) && !/\.d\.[cm]?ts$/.test(path) ? [path] : []
    })
    .sort()
}

/** The file that exports a data source, one that encrypts before any other. */
export function findDataSource(sources: readonly TextFile[]): FoundDataSource | undefined {
  const found = sources.flatMap((file) => dataSourceIn(file) ?? [])
  return found.find(({ encrypts }) => encrypts) ?? found[0]
}

function dataSourceIn(file: TextFile): FoundDataSource | undefined {
  const text = withoutComments(file.text)
  const encrypts = /['"]fieldseal\/typeorm['"]/.test(text) && /\bfieldEncryption\s*\(/.test(text)
  const made = '(?:await\\s+)?(?:new\\s+DataSource|fieldEncryption)\\s*\\('
  if (!/\bnew\s+DataSource\s*\(/.test(text)) return undefined
  const exported = new RegExp(`\\bexport\\s+(?:const|let|var)\\s+(\\w+)\\s*(?::[^=]+)?=\\s*${made}`).exec(text)
  if (exported) return { file, name: exported[1]!, encrypts }
  if (new RegExp(`\\bexport\\s+default\\s+${made}`).test(text)) return { file, name: 'default', encrypts }
  const names = [...text.matchAll(new RegExp(`\\b(?:const|let|var)\\s+(\\w+)\\s*(?::[^=]+)?=\\s*${made}`, 'g'))]
  const later = names.reverse().flatMap(([, local]) => exportedAs(text, local!) ?? [])[0]
  return later === undefined ? undefined : { file, name: later, encrypts }
}

/** The name by which something is exported further down. */
function exportedAs(text: string, local: string): string | undefined {
  if (new RegExp(`\\bexport\\s+default\\s+${local}\\b`).test(text)) return 'default'
  const listed = new RegExp(`\\bexport\\s*\\{[^}]*\\b${local}\\b(?:\\s+as\\s+(\\w+))?[^}]*\\}`).exec(text)
  return listed ? (listed[1] ?? local) : undefined
}

/** Good enough for finding words: what stands in a text may go too. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
