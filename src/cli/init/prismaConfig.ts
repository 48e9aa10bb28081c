import { docsAt } from '../../docs.js'
import type { InitAnswers } from './answers.js'
import { type EnvSource, LOAD_ENV_FILE } from './dotenv.js'
import { importLines, kmsCode } from './kmsCode.js'

export interface PrismaConfigInput {
  /** What the generators write. */
  readonly imports: { readonly prisma: string; readonly encryption: string }
  readonly answers: Pick<InitAnswers, 'kms' | 'tenancy'>
  readonly env: EnvSource | undefined
  /** Whose the rows are of models without the tenant's column. */
  readonly paths: { readonly [model: string]: string }
}

/** The name of the only tenant, which is in every ciphertext: never to be changed. */
export const ONLY_TENANT = 'default'

/** A fieldseal.config.ts that makes a client of its own. */
export function prismaConfig({ imports, answers, env = LOAD_ENV_FILE, paths }: PrismaConfigInput): string {
  const { firstImports, statements } = env
  const kms = kmsCode(answers.kms)
  const modules = {
    '@prisma/adapter-pg': '{ PrismaPg }',
    fieldseal: '{ defineConfig }',
    'fieldseal/prisma': '{ fieldEncryption }',
    ...kms.imports,
  }
  return `${firstImports}${importLines(modules)}import { encryptionSchema } from '${imports.encryption}'
import { PrismaClient } from '${imports.prisma}'

${statements}${statements && '\n'}// The command works with the client that your app uses: the same KMS, the same options. Import it from your app, or
// make it here as your app does. ${kmsComment(answers)}
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
${kms.setup.map((line) => `${line}\n`).join('')}
export default defineConfig({
  client: () =>
    new PrismaClient({ adapter }).$extends(
      fieldEncryption({ schema: encryptionSchema, kms: ${kms.expression}${defaultTenant(answers)} }),
    ),
${tenantsOption(answers, paths, 'models without a @tenant column: relations, and a column at their end')}})
`
}

/** Where to read more of the KMS. */
export function kmsComment({ kms }: Pick<InitAnswers, 'kms'>): string {
  const page = docsAt(kmsCode(kms).page)
  return kms === 'local' ? `localKms is for development; the others:\n// ${page}` : `The KMS:\n// ${page}`
}

/** As the last option of `fieldEncryption`. */
export function defaultTenant({ tenancy }: Pick<InitAnswers, 'tenancy'>): string {
  return tenancy.kind === 'single' ? `, defaultTenant: '${ONLY_TENANT}'` : ''
}

/** Of the configuration; of many tenants, with an example where there are none. */
export function tenantsOption(
  { tenancy }: Pick<InitAnswers, 'tenancy'>,
  paths: { readonly [model: string]: string },
  whose: string,
): string {
  if (tenancy.kind === 'single') return ''
  const entries = Object.entries(paths).map(([model, path]) => `${model}: '${path}'`)
  const comment = `  // Whose the rows are of ${whose}.\n`
  if (entries.length === 0) return `${comment}  // tenants: { Contact: 'patient.clinicId' },\n`
  if (entries.length === 1) return `${comment}  tenants: { ${entries[0]} },\n`
  return `${comment}  tenants: {\n${entries.map((entry) => `    ${entry},\n`).join('')}  },\n`
}
