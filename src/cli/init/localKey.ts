import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileChange } from './plan.js'
import { append } from './schemaText.js'

const NAME = 'FIELDSEAL_KEY'

/** Its line in `.env`, up to the value. */
const LINE = String.raw`^([ \t]*(?:export[ \t]+)?${NAME}[ \t]*=)`
const EMPTY = new RegExp(String.raw`${LINE}[ \t]*(?:""|'')?[ \t]*(?:#.*)?$`, 'm')
const FILLED = new RegExp(String.raw`${LINE}[ \t]*(?:"[^"\s]|'[^'\s]|[^\s"'#])`, 'm')

/** A key for development in `.env`, unless there is one; a line without a value gets it. */
export function localKey(root: string, env: NodeJS.ProcessEnv): FileChange[] {
  const path = join(root, '.env')
  const before = textOf(path)
  if (hasLocalKey(root, env)) return []
  const key = randomBytes(32).toString('base64')
  const after = EMPTY.test(before ?? '')
    ? before!.replace(EMPTY, (_, line: string) => `${line}${key}`)
    : append(before ?? '', `${NAME}=${key}`)
  return [{ path, before, after, shown: `${NAME}=… 32 random bytes` }]
}

/** Whether the environment or `.env` has a key. */
export function hasLocalKey(root: string, env: NodeJS.ProcessEnv): boolean {
  return Boolean(env[NAME]) || FILLED.test(textOf(join(root, '.env')) ?? '')
}

function textOf(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null
}

/** Whether git leaves `.env` out, as far as the project's own .gitignore says. */
export function ignoresEnv(root: string): boolean {
  const path = join(root, '.gitignore')
  return existsSync(path) && /^\/?(\*?\.env|\.env\*)\s*$/m.test(readFileSync(path, 'utf8'))
}
