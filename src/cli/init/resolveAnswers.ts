import { FieldsealError } from '../../errors.js'
import { didYouMean } from '../../schema/suggestion.js'
import {
  type Candidate,
  type InitAnswers,
  type ProjectFacts,
  proposedFields,
  proposedIndexes,
  proposedTenancy,
  type Tenancy,
} from './answers.js'
import { KMS_NAMES, type KmsName } from './kmsNames.js'

/** What the command line answers; `false` is none. */
export interface GivenAnswers {
  readonly fields?: readonly string[] | false
  readonly blindIndexes?: readonly string[] | false
  readonly tenancy?: Tenancy['kind']
  readonly tenantColumn?: string
  readonly kms?: string
  readonly migrating?: boolean
}

/** Somebody who can be asked, with what is proposed. */
export interface Asked {
  fields(candidates: readonly Candidate[], proposal: readonly string[]): Promise<string[]>
  blindIndexes(candidates: readonly Candidate[], proposal: readonly string[]): Promise<string[]>
  migrating(proposal: boolean): Promise<boolean>
  tenancy(columns: ProjectFacts['tenantColumns'], proposal: Tenancy): Promise<Tenancy>
  kms(proposal: KmsName): Promise<KmsName>
}

/** Takes the proposals. */
export const UNASKED: Asked = {
  fields: async (_, proposal) => [...proposal],
  blindIndexes: async (_, proposal) => [...proposal],
  migrating: async (proposal) => proposal,
  tenancy: async (_, proposal) => proposal,
  kms: async (proposal) => proposal,
}

/**
 * The answers that the command line gives, and of the others those that the project does not give by itself: a field that
 * is marked, a configuration that is there, are answers.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for an answer that cannot be followed
 */
export async function resolveAnswers(facts: ProjectFacts, given: GivenAnswers, asked: Asked): Promise<InitAnswers> {
  const fields = await fieldsOf(facts, given, asked)
  const blindIndexes = await indexesOf(facts, given, asked, fields)
  const migrating = given.migrating ?? (fields.length > 0 && (await asked.migrating(facts.hasRows)))
  const tenancy = await tenancyOf(facts, given, asked, fields)
  const both = tenancy.kind === 'many' && fields.find((name) => name.split('.')[1] === tenancy.column)
  if (both)
    throw invalid(`${both} says whose a row is, so it stays in plaintext: do not encrypt it, or name another column`)
  const kms = kmsOf(given) ?? (facts.isConfigured ? facts.kms : await asked.kms(facts.kms))
  return { fields, blindIndexes, migrating, tenancy, kms }
}

async function fieldsOf(facts: ProjectFacts, given: GivenAnswers, asked: Asked): Promise<string[]> {
  if (given.fields !== undefined) {
    const names = (given.fields || []).filter((name) => !facts.marked.includes(name))
    const problems = names.flatMap((name) => problemOf(facts, name) ?? [])
    if (problems.length > 0) throw invalid(`--fields: ${problems.join('; ')}`)
    return [...new Set(names)]
  }
  const possible = facts.candidates.filter(({ problem }) => problem === undefined)
  if (facts.isConfigured || facts.marked.length > 0 || possible.length === 0) return []
  return asked.fields(possible, proposedFields(facts))
}

function problemOf({ candidates }: ProjectFacts, name: string): string | undefined {
  const found = candidates.find((candidate) => candidate.name === name)
  if (found) return found.problem && `${name} ${found.problem}`
  const names = candidates.map((candidate) => candidate.name)
  const hint = didYouMean(name, names)
  return `${name} is no field that can be encrypted${hint ? `; ${hint}` : ''}`
}

async function indexesOf(facts: ProjectFacts, given: GivenAnswers, asked: Asked, fields: readonly string[]) {
  const indexable = facts.candidates.filter(({ name, canIndex }) => canIndex && fields.includes(name))
  const needed = indexable.filter(({ needsIndex }) => needsIndex).map(({ name }) => name)
  if (given.blindIndexes !== undefined) {
    const names = (given.blindIndexes || []).filter((name) => !facts.indexed.includes(name))
    const wrong = names.filter((name) => !indexable.some((candidate) => candidate.name === name))
    if (wrong.length > 0)
      throw invalid(
        `--blind-indexes: ${wrong.join(', ')}: a blind index is made for a field that --fields names and that is no list and no Json; write that of a field that is marked already into the schema`,
      )
    return [...new Set([...needed, ...names])]
  }
  const free = indexable.filter(({ needsIndex }) => !needsIndex)
  if (free.length === 0) return needed
  const proposal = proposedIndexes(facts, fields).filter((name) => !needed.includes(name))
  return [...needed, ...(await asked.blindIndexes(free, proposal))]
}

async function tenancyOf(
  facts: ProjectFacts,
  given: GivenAnswers,
  asked: Asked,
  fields: readonly string[],
): Promise<Tenancy> {
  const { tenancy, tenantColumn: column } = given
  if (tenancy === 'single' && column !== undefined)
    throw invalid('--tenancy single has one tenant for all rows: leave out --tenant-column, or say --tenancy many')
  if (tenancy === 'single') return { kind: 'single' }
  if (column !== undefined) {
    const names = facts.tenantColumns.map(({ name }) => name)
    if (names.includes(column)) return { kind: 'many', column }
    const hint = didYouMean(column, names)
    throw invalid(
      `--tenant-column: no model has a required String column ${column}, as the tenant's has to be${hint ? `; ${hint}` : ''}`,
    )
  }
  if (tenancy === 'many') return { kind: 'many', column: facts.markedTenant }
  const proposal = proposedTenancy(facts, fields)
  if (facts.markedTenant !== undefined) return proposal
  if (facts.isConfigured) return { kind: 'many', column: undefined }
  return fields.length + facts.marked.length === 0 ? proposal : asked.tenancy(facts.tenantColumns, proposal)
}

function kmsOf({ kms }: GivenAnswers): KmsName | undefined {
  return KMS_NAMES.find((name) => name === kms)
}

function invalid(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', message)
}
