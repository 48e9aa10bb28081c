import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { docsAt } from '../../docs.js'
import type { InitAnswers } from './answers.js'
import { envSourceOf } from './dotenv.js'
import { readSources } from './findDataSource.js'
import { hasLocalKey, localKey } from './localKey.js'
import type { TextFile } from './plan.js'
import { packagesStep, unusedAnswers, variablesStep } from './planNotes.js'
import { encryptsAlready, makesDataSource, planTypeormInit } from './planTypeorm.js'
import type { ProjectPlan } from './planWithPrisma.js'
import { readPackage } from './readPackage.js'
import { type Asked, type GivenAnswers, resolveAnswers } from './resolveAnswers.js'
import { typeormFacts } from './typeormFacts.js'

export async function planWithTypeorm(
  root: string,
  config: TextFile | undefined,
  options: GivenAnswers,
  asked: Asked,
): Promise<ProjectPlan> {
  const sources = readSources(root)
  // A data source that encrypts says whose KMS it is, and whose the rows are.
  const facts = typeormFacts(root, sources, config !== undefined)
  const answers = await resolveAnswers(
    facts,
    options,
    encryptsAlready(sources) ? { ...asked, kms: async (proposal) => proposal } : asked,
  )
  const isModule = readPackage(root).type === 'module'
  const keys = makesDataSource({ sources, config }) && answers.kms === 'local' ? localKey(root, process.env) : []
  const { changes, missing } = planTypeormInit({
    ...{ root, sources, config, isModule, env: envSourceOf(root), answers },
    hasEnvFile: existsSync(join(root, '.env')),
  })
  return {
    changes: [...changes, ...keys],
    missing: [
      ...missing,
      ...(config ? [] : facts.candidates)
        .filter(({ looksPersonal, problem }) => looksPersonal && problem !== undefined)
        .map(({ name, problem }) => `${name} looks personal, and ${problem}`),
    ],
    notes: unusedAnswers(config, options),
    complete: 'the configuration and the entity of the keys are there.',
    next: nextSteps(root, answers, encryptsAlready(sources), keys.length > 0),
  }
}

function nextSteps(
  root: string,
  { kms, fields, migrating }: InitAnswers,
  isEncrypting: boolean,
  wroteKey: boolean,
): string {
  const steps = [
    ...(isEncrypting ? [] : packagesStep(root, kms, [])),
    ...(isEncrypting ? [] : variablesStep(root, kms, wroteKey)),
    ...(isEncrypting || kms !== 'local' || wroteKey || hasLocalKey(root, process.env)
      ? []
      : ['Set FIELDSEAL_KEY in the environment, for development: 32 random bytes in Base64 (openssl rand -base64 32)']),
    fields.length > 0
      ? `Put the decorators above into the entities. Columns of other types than varchar have to become text first. See
     ${docsAt('typeorm.md')}`
      : `Mark what is to be encrypted: @Encrypted() email: string, and whose a row is: @Tenant() @Column() tenantId: string
     For rows that are there already: @Encrypted({ column: 'varchar', state: 'migrating' }) until they are encrypted;
     columns of other types than varchar have to become text first. See
     ${docsAt('typeorm.md')}`,
    'A migration for the keys table and new columns, as always',
    'See to fieldseal.config.ts',
    ...(migrating ? [`Deploy, then npx fieldseal encrypt, and drop \`state\`: ${docsAt('existing-data.md')}`] : []),
    'npx fieldseal status',
  ]
  return `Next:\n${steps.map((step, i) => `  ${i + 1}. ${step}`).join('\n')}`
}
