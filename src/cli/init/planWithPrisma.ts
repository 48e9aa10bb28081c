import { docsAt } from '../../docs.js'
import type { InitAnswers, ProjectFacts } from './answers.js'
import { envSourceOf } from './dotenv.js'
import { findSchema } from './findSchema.js'
import { localKey } from './localKey.js'
import { missingMarks } from './missingMarks.js'
import { type FileChange, hasOldUrl, planInit, type TextFile } from './plan.js'
import { packagesStep, unusedAnswers, variablesStep } from './planNotes.js'
import { prismaFacts } from './prismaFacts.js'
import { type Asked, type GivenAnswers, resolveAnswers } from './resolveAnswers.js'
import { hasAttribute } from './schemaCandidates.js'
import { schemaModels } from './schemaModels.js'

/** What a project lacks, and how to go on. */
export interface ProjectPlan {
  readonly changes: readonly FileChange[]
  /** What init does not add by itself. */
  readonly missing: readonly string[]
  /** Said behind the changes. */
  readonly notes: readonly string[]
  /** Said where nothing is to be added. */
  readonly complete: string
  readonly next: string
}

const OLD_URL =
  'The datasource names a url, as up to Prisma 6: fieldseal needs Prisma 7.10, which takes it from prisma.config.ts.\n'

export async function planWithPrisma(
  root: string,
  config: TextFile | undefined,
  options: GivenAnswers & { readonly schema?: string },
  asked: Asked,
): Promise<ProjectPlan> {
  const found = await findSchema(root, options.schema)
  const input = { root, schema: found.files, folder: found.folder, configured: config !== undefined }
  // Whatever is wrong with the schema is said before anything is asked.
  planInit(input)
  const facts = prismaFacts(root, found, config !== undefined)
  const answers = await resolveAnswers(facts, options, asked)
  const changes = planInit({ ...input, env: envSourceOf(root), answers })
  const keys = config === undefined && answers.kms === 'local' ? localKey(root, process.env) : []
  return {
    changes: [...changes, ...keys],
    missing: missingMarks({ facts, answers, schema: found.files, config }),
    notes: [
      ...(hasOldUrl(found.files) ? [OLD_URL] : []),
      ...unusedAnswers(config, options),
      ...scopeNotes(found.files, answers),
    ],
    complete: 'the generator, the model of the keys and the configuration are there.',
    next: nextSteps(root, facts, answers, keys.length > 0),
  }
}

/** What is unique over all tenants becomes unique within each, by indexes that no two tenants share. */
function scopeNotes(schema: readonly TextFile[], { fields, tenancy }: InitAnswers): string[] {
  if (tenancy.kind === 'single') return []
  return schema
    .flatMap(({ text }) => schemaModels(text))
    .flatMap((model) => model.fields.map((field) => ({ field, name: `${model.name}.${field.name}` })))
    .filter(({ field, name }) => fields.includes(name) && hasAttribute(field, 'unique'))
    .map(
      ({ name }) =>
        `${name} is unique over all tenants, and will be within each. To keep it so, add scope: global to its @blindIndex;\nwhoever reads the database then sees which tenants have the same value.\n`,
    )
}

function nextSteps(root: string, facts: ProjectFacts, answers: InitAnswers, wroteKey: boolean): string {
  const hasMarks = answers.fields.length + facts.marked.length > 0
  const steps = [
    // A configuration that is there has its KMS, whatever was answered.
    ...(facts.isConfigured
      ? []
      : [...packagesStep(root, answers.kms, ['@prisma/adapter-pg']), ...variablesStep(root, answers.kms, wroteKey)]),
    ...(hasMarks
      ? []
      : [
          `Mark what is to be encrypted: email String /// @encrypted, and whose a row is: tenantId String /// @tenant
     For rows that are there already: @encrypted(migrating) until they are encrypted. See
     ${docsAt('existing-data.md')}`,
        ]),
    `npx prisma generate, then a migration for the keys table${hasMarks ? ' and new columns' : ''}, as always`,
    'Extend your client with fieldEncryption, and see to fieldseal.config.ts',
    ...(answers.migrating
      ? [`Deploy, then npx fieldseal encrypt, and drop \`migrating\`: ${docsAt('existing-data.md')}`]
      : []),
    'npx fieldseal status',
  ]
  return `Next:\n${steps.map((step, i) => `  ${i + 1}. ${step}`).join('\n')}`
}
