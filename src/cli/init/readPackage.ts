import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FieldsealError } from '../../errors.js'

/** What is used of a project's package.json. */
export interface Package {
  readonly name?: string
  readonly type?: string
  readonly prisma?: { readonly schema?: string }
  readonly dependencies?: { readonly [name: string]: string }
  readonly devDependencies?: { readonly [name: string]: string }
}

/**
 * That of the project; an empty one where there is none.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when it is no JSON
 */
export function readPackage(root: string): Package {
  const path = join(root, 'package.json')
  if (!existsSync(path)) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Package
  } catch (cause) {
    const { message } = cause as Error
    throw new FieldsealError('OPTIONS_INVALID', `${path} cannot be read: ${message}`, { cause })
  }
}
