import { docsAt } from '../../docs.js'
import { FieldsealError, quoted } from '../../errors.js'
import type { KmsFailure } from '../../keys/kmsProbe.js'
import { quoteName, runSql, tableName } from '../../maintenance/postgres/sql.js'
import type { KeySurvey } from '../../maintenance/postgres/survey.js'
import { printable } from '../../printable.js'
import { isTenant } from '../../tenancy/tenant.js'
import type { Check, DoctorContext, Finding } from './finding.js'

type Encryption = DoctorContext['client']['$encryption']

/** How many tenants are tried: one for each KEK, up to here. */
const TRIED = 20

/**
 * The KMS answers, and permits what writing and reading take, for a tenant of each KEK: a user who may unwrap keys and make
 * none would only be found by the first new tenant, or the next rotation.
 */
export const kmsAnswers: Check = async (context) => {
  const { client, survey } = context
  const usable = survey.keys.filter(
    ({ state, purpose, tenant }) => state === 'active' && purpose === 'encrypt' && tenant !== '*',
  )
  const perKek = [...new Map(usable.map((key) => [`${key.kms} ${key.kekId}`, key])).values()].slice(0, TRIED)
  if (perKek.length === 0) return tryWithoutKeys(context)
  return (await Promise.all(perKek.map((key) => tryTenant(client.$encryption, key)))).flat()
}

async function tryTenant(encryption: Encryption, { tenant, kekId }: KeySurvey): Promise<Finding[]> {
  const [failures, unopened] = await Promise.all([encryption.tryKms(tenant), errorOf(encryption.checkKey(tenant))])
  const found = failures.map((failure) => findingOf(failure, tenant))
  if (!unopened || failures.some((failure) => tellsOf(failure, unopened))) return found
  const what = `a key under the KEK ${printable(kekId)} cannot be unwrapped: ${unopened.code}: ${unopened.message}`
  return [...found, problem(what, adviceOn('unwrap', unopened))]
}

/** Before the first value is written, for a tenant whose it could be. */
async function tryWithoutKeys(context: DoctorContext): Promise<Finding[]> {
  const { $encryption } = context.client
  const tenant = await tenantOfRow(context)
  try {
    return (await $encryption.tryKms(tenant)).map((failure) => findingOf(failure, tenant))
  } catch (error) {
    if (!FieldsealError.is(error, 'TENANT_MISSING')) throw error
    const what = 'there is no key yet and no row of any tenant, so the KMS was not tried'
    return [{ severity: 'hint', check: 'KMS', what, next: 'write a first value, then run this again' }]
  }
}

async function tenantOfRow({ database, schema }: DoctorContext): Promise<string | undefined> {
  for (const model of Object.values(schema.models)) {
    if (model.tenant === undefined || Object.keys(model.encrypted).length === 0) continue
    const column = quoteName(model.columns[model.tenant]!)
    const first = `SELECT ${column}::text AS tenant FROM ${tableName(model)} WHERE ${column} IS NOT NULL LIMIT 1`
    const [row] = await runSql<'tenant'>(database, first)
    if (isTenant(row?.tenant)) return row.tenant
  }
  return undefined
}

async function errorOf(work: Promise<void>): Promise<FieldsealError | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    if (!FieldsealError.is(error)) throw error
    return error
  }
}

/** Whether a failure says already why a key is not unwrapped. */
function tellsOf({ action, error }: KmsFailure, unopened: FieldsealError): boolean {
  return error.code === unopened.code && (action === 'unwrap' || error.code !== 'KMS_DENIED')
}

const DOES_NOT: { readonly [action in KmsFailure['action']]: string } = {
  generate: 'makes no new key',
  wrap: 'does not wrap a key that another KMS made,',
  unwrap: 'does not unwrap a key that it has just made',
  encrypt: 'encrypts no value (mode: kms)',
  decrypt: 'does not decrypt a value that it has just encrypted (mode: kms)',
}

/** What else is in the way of, where it is not permitted. */
const NEEDED: { readonly [action in KmsFailure['action']]: string } = {
  generate: 'new tenants and rotation need it',
  wrap: 'without it new keys are lost with the KMS that made them',
  unwrap: 'reading needs it, and writing after each start',
  encrypt: 'writing such fields needs it',
  decrypt: 'reading such fields needs it',
}

function findingOf({ kms, action, error }: KmsFailure, tenant: string | undefined): Finding {
  const whose = tenant === undefined ? '' : ` for tenant ${quoted(tenant)}`
  return problem(
    `the KMS ${printable(kms)} ${DOES_NOT[action]}${whose}: ${error.code}: ${error.message}`,
    adviceOn(action, error),
  )
}

function adviceOn(action: KmsFailure['action'], { code }: FieldsealError): string {
  if (code !== 'KMS_DENIED') return `see ${code} in ${docsAt('errors.md')}`
  return `permit it in the KMS: ${NEEDED[action]}. The policy is on the page of its vendor: ${docsAt('kms/README.md')}`
}

function problem(what: string, next: string): Finding {
  return { severity: 'problem', check: 'KMS', what, next }
}
