import { basename } from 'node:path'
import { type InitAnswers, type ProjectFacts, tenantRank } from './answers.js'
import { withoutComments } from './findDataSource.js'
import type { TextFile } from './plan.js'
import { tenantColumnProblem } from './schemaCandidates.js'
import { type SchemaModel, schemaModels } from './schemaModels.js'
import { tenantPathsOf } from './tenantPaths.js'

export interface MarkedProject {
  readonly facts: ProjectFacts
  readonly answers: InitAnswers
  readonly schema: readonly TextFile[]
  /** The configuration that is there, which init does not change. */
  readonly config: TextFile | undefined
}

/** What looks personal and cannot be marked as it is; whose rows nothing says. */
export function missingMarks(project: MarkedProject): string[] {
  const { facts, config } = project
  if (config) return missingInConfig(project, config)
  const left = facts.candidates.filter(({ looksPersonal, problem }) => looksPersonal && problem !== undefined)
  const whose = facts.hasTenantName || project.answers.tenancy.kind === 'many'
  return [
    ...left.map(({ name, problem }) => `${name} looks personal, and ${problem}`),
    ...(whose ? tenantPathsOf(project).without.map((model) => missingTenant(project, model)) : []),
  ]
}

/** Of models that are marked only now; of the others it was told before. */
function missingInConfig(project: MarkedProject, config: TextFile): string[] {
  const { facts, answers } = project
  const text = withoutComments(config.text)
  if (!hasManyTenants(answers, text)) return []
  const before = new Set(facts.marked.map(modelOf))
  const fields = answers.fields.filter(
    (name) => !before.has(modelOf(name)) && !new RegExp(`\\b${modelOf(name)}\\s*:`).test(text),
  )
  const { paths, without } = tenantPathsOf({ ...project, answers: { ...answers, fields } })
  return [
    ...Object.entries(paths).map(
      ([model, path]) =>
        `in ${basename(config.path)}, whose the rows of ${model} are: tenants: { ${model}: '${path}' }`,
    ),
    ...without.map((model) => missingTenant(project, model)),
  ]
}

/** A client that is made elsewhere may have one tenant, unless a column says that there are many. */
function hasManyTenants({ tenancy }: InitAnswers, config: string): boolean {
  if (tenancy.kind === 'single' || /\bdefaultTenant\b/.test(config)) return false
  return tenancy.column !== undefined || /\bfieldEncryption\s*\(/.test(config)
}

function missingTenant({ facts, answers, schema, config }: MarkedProject, name: string): string {
  const { tenancy } = answers
  const column = facts.markedTenant ?? (tenancy.kind === 'many' ? tenancy.column : undefined) ?? 'tenantId'
  const model = schema.flatMap(({ text }) => schemaModels(text)).find((one) => one.name === name)
  const where = config ? basename(config.path) : 'fieldseal.config.ts'
  return `whose the rows of ${name} are: ${wantedColumn(model, column)}, or in ${where} the relations that lead to one: tenants: { ${name}: 'relation.${column}' }`
}

function wantedColumn(model: SchemaModel | undefined, column: string): string {
  const fields = model?.fields ?? []
  const field = fields.find(({ name }) => name === column) ?? fields.find(({ name }) => tenantRank(name) >= 0)
  if (!field) return `a required column ${column} String /// @tenant`
  const problem = tenantColumnProblem(field)
  return problem === undefined
    ? `/// @tenant at its column ${field.name}`
    : `its column ${field.name} ${problem}: change that and mark it /// @tenant`
}

function modelOf(field: string): string {
  return field.split('.')[0]!
}
