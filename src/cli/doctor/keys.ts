import { FieldsealError } from '../../errors.js'
import { count, counted } from '../terminal.js'
import type { Check, Finding } from './finding.js'

const DAY = 86_400_000
const OLD = 365
/** Of the 2³² encryptions that are safe under one key with random nonces (NIST SP 800-38D). */
const MANY = 0.8 * 2 ** 32
/** How many tenants are tried: one for each KEK, up to here. */
const TRIED = 20

/** The KMS answers, and may be used, for a tenant of each KEK. */
export const kmsAnswers: Check = async ({ client, survey }) => {
  const usable = survey.keys.filter(
    ({ state, purpose, tenant }) => state === 'active' && purpose === 'encrypt' && tenant !== '*',
  )
  const perKek = [...new Map(usable.map((key) => [`${key.kms} ${key.kekId}`, key])).values()].slice(0, TRIED)
  const found = await Promise.all(perKek.map(({ tenant, kekId }) => tryKey(client, tenant, kekId)))
  if (perKek.length > 0) return found.flat()
  const what = 'there is no key yet, so the KMS was not tried'
  return [{ severity: 'hint', check: 'KMS', what, next: 'write a first value, then run this again' }]
}

async function tryKey(
  client: { $encryption: { checkKey(tenant: string): Promise<void> } },
  tenant: string,
  kekId: string,
): Promise<Finding[]> {
  try {
    await client.$encryption.checkKey(tenant)
    return []
  } catch (error) {
    if (!FieldsealError.is(error)) throw error
    const what = `a key under the KEK ${kekId} cannot be unwrapped: ${error.code}: ${error.message}`
    return [{ severity: 'problem', check: 'KMS', what, next: `see ${error.code} in docs/errors.md` }]
  }
}

/** Keys that are old or nearly used up. */
export const keyAges: Check = async ({ survey: { keys, at } }) => {
  const active = keys.filter(({ state, purpose }) => state === 'active' && purpose === 'encrypt')
  const old = active.filter(({ createdAt }) => Date.parse(at) - Date.parse(createdAt) > OLD * DAY)
  const used = active.filter(({ messages }) => messages > MANY)
  const found: Finding[] = []
  if (old.length > 0) {
    const what = `${counted(old.length, 'active key')} of more than a year`
    found.push({ severity: 'risk', check: 'keys', what, next: 'fieldseal rotate, then fieldseal re-encrypt' })
  }
  for (const { tenant, messages } of used) {
    const what = `the key of ${JSON.stringify(tenant)} is near its limit: ${count(messages)} of ${count(2 ** 32)} encryptions`
    found.push({ severity: 'risk', check: 'keys', what, next: `fieldseal rotate --tenant ${JSON.stringify(tenant)}` })
  }
  return found
}
