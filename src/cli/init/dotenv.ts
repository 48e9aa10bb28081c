import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPackage } from './readPackage.js'

/** How a configuration reads `.env`, where `prisma init` puts DATABASE_URL: as the project does, or as Node.js can. */
export interface EnvSource {
  readonly firstImports: string
  /** Behind the imports. */
  readonly statements: string
}

export const DOTENV: EnvSource = { firstImports: `import 'dotenv/config'\n`, statements: '' }
export const LOAD_ENV_FILE: EnvSource = {
  firstImports: `import { existsSync } from 'node:fs'\n`,
  statements: `// DATABASE_URL and the like; what the environment says stays.\nif (existsSync('.env')) process.loadEnvFile()\n`,
}

export function envSourceOf(root: string): EnvSource {
  const { dependencies, devDependencies } = readPackage(root)
  return 'dotenv' in { ...dependencies, ...devDependencies } ? DOTENV : LOAD_ENV_FILE
}

/** What to say where DATABASE_URL is not set, and only `.env` has it; or where it is empty, which dotenv leaves as it is. */
export function unreadEnv(folder: string, env: NodeJS.ProcessEnv): string {
  if (env.DATABASE_URL === '') return '. DATABASE_URL is set here, to nothing: unset it, or give it a value'
  const path = join(folder, '.env')
  if (env.DATABASE_URL || !existsSync(path) || !/^\s*(?:export\s+)?DATABASE_URL\s*=/m.test(readFileSync(path, 'utf8')))
    return ''
  return `. The .env here has DATABASE_URL, and nothing reads it: put this at the top of the configuration: import 'dotenv/config' (npm install --save-dev dotenv)`
}
