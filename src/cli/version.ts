import { createRequire } from 'node:module'

/** The version of this package. */
export function ownVersion(): string {
  return (createRequire(import.meta.url)('fieldseal/package.json') as { readonly version: string }).version
}
