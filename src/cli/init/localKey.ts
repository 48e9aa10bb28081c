import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileChange } from './plan.js'
import { append } from './schemaText.js'

const NAME = 'FIELDSEAL_KEY'

/** A key for development in `.env`, unless there is one. */
export function localKey(root: string, env: NodeJS.ProcessEnv): FileChange[] {
  const path = join(root, '.env')
  const before = existsSync(path) ? readFileSync(path, 'utf8') : null
  if (env[NAME] || new RegExp(`^\\s*(?:export\\s+)?${NAME}\\s*=`, 'm').test(before ?? '')) return []
  const after = append(before ?? '', `${NAME}=${randomBytes(32).toString('base64')}`)
  return [{ path, before, after, shown: `${NAME}=… 32 random bytes` }]
}

/** Whether git leaves `.env` out, as far as the project's own .gitignore says. */
export function ignoresEnv(root: string): boolean {
  const path = join(root, '.gitignore')
  return existsSync(path) && /^\/?(\*?\.env|\.env\*)\s*$/m.test(readFileSync(path, 'utf8'))
}
