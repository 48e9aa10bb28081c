import type { ModelSchema } from '../../schema/encryptionSchema.js'
import { count, counted } from '../terminal.js'
import type { Check, Finding } from './finding.js'

/** Values that should be encrypted and are not, and ciphertexts whose key is missing. */
export const storedValues: Check = async ({ survey, schema }) =>
  survey.fields.flatMap(({ model, field, plaintext, former, ciphertext, direct, unknownKey, versions }): Finding[] => {
    const name = `${model}.${field}`
    const { state: transition, mode } = schema.models[model]!.encrypted[field]!
    const other = mode === 'kms' ? ciphertext - direct : direct
    const destroyed = versions.filter(({ state }) => state === 'destroyed').reduce((sum, { rows }) => sum + rows, 0)
    const found: Finding[] = []
    if (plaintext > 0 && transition !== 'ejecting') {
      found.push({
        severity: transition === 'migrating' ? 'risk' : 'problem',
        check: 'stored values',
        what: `${name} holds plaintext in ${counted(plaintext, 'row')}`,
        next: `fieldseal encrypt --field ${name}`,
      })
    }
    if (former.rows > 0) {
      const isMigrating = transition === 'migrating'
      found.push({
        severity: isMigrating ? 'risk' : 'problem',
        check: 'stored values',
        what: `${name} holds ciphertexts of ${former.library} in ${counted(former.rows, 'row')}`,
        next: isMigrating
          ? `fieldseal encrypt --field ${name}`
          : 'mark it as migrating, name it in "migratingFrom", and run fieldseal encrypt',
      })
    }
    const unindexed = plaintext + former.rows
    for (const index of transition === 'migrating' && unindexed > 0
      ? uniqueIndexesOf(schema.models[model]!, field)
      : []) {
      const how = former.rows > 0 ? 'not encrypted yet' : 'plaintext'
      const what = `${model}.${index} is unique, and does not see the ${counted(unindexed, 'row')} where ${name} is ${how}: another may get the same value`
      found.push({ severity: 'risk', check: 'stored values', what, next: `fieldseal encrypt --field ${name}` })
    }
    if (unknownKey > 0) {
      const what = `${name} holds ${counted(unknownKey, 'ciphertext')} of keys that the keys table does not have`
      found.push({ severity: 'problem', check: 'stored values', what, next: 'restore the keys table from a backup' })
    }
    if (other > 0) {
      const by = mode === 'kms' ? 'a DEK and not by the KMS itself' : 'the KMS itself and not by a DEK'
      const what = `${name} holds ${counted(other, 'value')} encrypted by ${by}, as its mode says`
      found.push({ severity: 'risk', check: 'stored values', what, next: `fieldseal re-encrypt --field ${name}` })
    }
    if (destroyed > 0) {
      const what = `${name} holds ${counted(destroyed, 'ciphertext')} of destroyed keys`
      found.push({ severity: 'hint', check: 'stored values', what, next: 'delete these rows, as nobody can read them' })
    }
    return found
  })

/** Blind indexes over a field that are unique, alone or together with other columns. */
function uniqueIndexesOf({ indexes, uniques }: ModelSchema, field: string): string[] {
  const over = Object.entries(indexes).filter(([, { sources }]) => sources.includes(field))
  const together = new Set(Object.values(uniques).flat())
  return over.filter(([name, { unique }]) => unique || together.has(name)).map(([name]) => name)
}

/** Indexes that lack entries. Plaintext gets none before it is encrypted, and loses it once it is decrypted. */
export const indexEntries: Check = async ({ survey, schema }) =>
  survey.indexes.flatMap(({ model, field, missing, unencrypted, stray }): Finding[] => {
    const lacking = missing - unencrypted
    if (lacking + stray === 0) return []
    const what = `${model}.${field} is missing in ${counted(lacking, 'row')} and beside no value in ${count(stray)}`
    const check = Object.hasOwn(schema.models[model]!.indexes, field) ? 'blind indexes' : 'token indexes'
    return [{ severity: 'problem', check, what, next: `fieldseal reindex --model ${model}` }]
  })
