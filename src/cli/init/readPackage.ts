import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What is used of a project's package.json. */
export interface Package {
  readonly name?: string
  readonly type?: string
  readonly prisma?: { readonly schema?: string }
  readonly dependencies?: { readonly [name: string]: string }
  readonly devDependencies?: { readonly [name: string]: string }
}

/** That of the project; an empty one where there is none. */
export function readPackage(root: string): Package {
  const path = join(root, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Package) : {}
}
