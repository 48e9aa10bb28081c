import { quoted } from '../../errors.js'
import type { KeySurvey } from '../../maintenance/postgres/survey.js'
import { shellWord } from '../shellWord.js'
import { count, counted } from '../terminal.js'
import type { Check, Finding } from './finding.js'

const DAY = 86_400_000
const OLD = 365
/** Of the 2³² encryptions that are safe under one key with random nonces (NIST SP 800-38D). */
const MANY = 0.8 * 2 ** 32
/** Of how many tenants the command is shown: without one, it would rotate the keys of all. */
const SHOWN = 5

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
    const what = `the key of ${quoted(tenant)} is near its limit: ${count(messages)} of ${count(2 ** 32)} encryptions`
    found.push({ severity: 'risk', check: 'keys', what, next: `fieldseal rotate --tenant ${shellWord(tenant)}` })
  }
  return [...found, ...unfinishedRotations(keys)]
}

/** Keys for indexes that a rotation has not come to an end with: rows have indexes of two keys meanwhile. */
function unfinishedRotations(keys: readonly KeySurvey[]): Finding[] {
  const indexKeys = keys.filter(({ purpose }) => purpose === 'index')
  const active = new Map(indexKeys.filter(({ state }) => state === 'active').map((key) => [key.tenant, key.version]))
  const left = indexKeys.filter(
    ({ tenant, version, state }) =>
      ['retiring', 'replaced', 'retired'].includes(state) && version < (active.get(tenant) ?? 0),
  )
  if (left.length === 0) return []
  const what = `the rotation of ${counted(left.length, 'key')} for indexes has not ended, unless it runs now`
  const tenants = [...new Set(left.map(({ tenant }) => tenant))]
  const commands = tenants.map((tenant) => `fieldseal rotate --purpose index --tenant ${shellWord(tenant)}`)
  const next = [...commands.slice(0, SHOWN), ...(commands.length > SHOWN ? ['…'] : [])].join('; ')
  return [{ severity: 'hint', check: 'keys', what, next }]
}
