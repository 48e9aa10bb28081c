import { docsAt } from '../../docs.js'
import { kmsCode } from './kmsCode.js'
import type { KmsName } from './kmsNames.js'
import { ignoresEnv } from './localKey.js'
import type { TextFile } from './plan.js'
import { readPackage } from './readPackage.js'
import type { GivenAnswers } from './resolveAnswers.js'

/** Says which answers change nothing, because a configuration is there. */
export function unusedAnswers(config: TextFile | undefined, { kms, tenancy }: GivenAnswers): string[] {
  if (!config) return []
  const options = [kms !== undefined && '--kms', tenancy !== undefined && '--tenancy'].filter(Boolean)
  return options.map((option) => `${option} changes nothing: the configuration is there. Change it by hand.\n`)
}

/** What is still to be installed. */
export function packagesStep(root: string, kms: KmsName, others: readonly string[]): string[] {
  const { dependencies, devDependencies } = readPackage(root)
  const has = { ...dependencies, ...devDependencies }
  const lacking = [...others, ...kmsCode(kms).packages].filter((name) => !(name in has))
  return lacking.length === 0 ? [] : [`npm install ${lacking.join(' ')}`]
}

/** What the environment has to say, and what must not get out of it. */
export function variablesStep(root: string, kms: KmsName, wroteKey: boolean): string[] {
  if (kms === 'local')
    return !wroteKey || ignoresEnv(root)
      ? []
      : ['Keep .env, which has a key now, out of version control: put it into .gitignore']
  const { variables, page } = kmsCode(kms)
  return [`Set ${variables.join(', ')} in the environment; what the KMS has to permit:\n     ${docsAt(page)}`]
}
