import { type Check, type Finding, isIndex } from './finding.js'

/** Words in names of fields that mostly stand for personal or secret data. */
const TELLING = new Set(
  `email mail phone mobile telephone fax ssn passport iban bic account card cvv birth birthday birthdate dob address street
   zip postcode firstname lastname surname fullname maiden salary income diagnosis medical health religion ethnicity
   password secret token apikey credential latitude longitude ip`.split(/\s+/),
)
/** Together with these, a name stands for something about the data, or for its hash. */
const HARMLESS = new Set([
  'id',
  'at',
  'count',
  'verified',
  'hash',
  'type',
  'status',
  'enabled',
  'sent',
  'expires',
  'index',
  'is',
  'has',
  'template',
  'provider',
])

/** Fields that look like personal or secret data by their names, and are not marked. */
export const suspiciousNames: Check = async ({ schema }) =>
  Object.entries(schema.models).flatMap(([name, model]): Finding[] => {
    if (name === schema.keysModel) return []
    const fields = Object.keys(model.columns).filter((field) => {
      const known =
        Object.hasOwn(model.encrypted, field) ||
        isIndex(model, field) ||
        model.id.includes(field) ||
        field === model.tenant
      return !known && looksPersonal(field)
    })
    return fields.map((field) => ({
      severity: 'hint',
      check: 'names',
      what: `${name}.${field} looks like personal or secret data, and is not marked`,
      next: 'mark it as encrypted if it is',
    }))
  })

export function looksPersonal(field: string): boolean {
  const words = field
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[\s_]+/)
  if (words.some((word) => HARMLESS.has(word))) return false
  const pairs = words.slice(1).map((word, i) => words[i]! + word)
  return [...words, ...pairs].some((word) => TELLING.has(word))
}
