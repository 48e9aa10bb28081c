import type { EncryptionSchema } from '../../../schema/encryptionSchema.js'
import type { ClientSource } from './clientSource.js'
import { searchable } from './filterTypes.js'
import { capitalized } from './modelFile.js'

/** Where the names of columns may stand in arguments: what Prisma writes, and what we make of it. */
export interface ScalarFieldEnums {
  readonly replacements: ReadonlyMap<string, string>
  /** What the model's own file must have. */
  readonly expected: ReadonlyMap<string, readonly string[]>
}

/** Takes encrypted fields out of `by`, and out of `distinct` those whose equal values cannot be told. */
export function scalarFieldEnums({ models }: EncryptionSchema): ScalarFieldEnums {
  const replacements = new Map<string, string>()
  const expected = new Map<string, readonly string[]>()
  for (const [name, model] of Object.entries(models)) {
    const encrypted = Object.keys(model.encrypted)
    if (encrypted.length === 0) continue
    const all = `Prisma.${capitalized(name)}ScalarFieldEnum`
    const by = `by: ${all}[] | ${all}`
    const distinct = `distinct?: ${all} | ${all}[]`
    const grouped = without(all, encrypted)
    const told = without(
      all,
      encrypted.filter((field) => !searchable(model, field).distinct),
    )
    replacements.set(by, `by: ${grouped}[] | ${grouped}`)
    replacements.set(distinct, `distinct?: ${told} | ${told}[]`)
    expected.set(name, [by, distinct])
  }
  return { replacements, expected }
}

/** @throws FieldsealError `OPTIONS_INVALID` when the file of the model lacks one of its own */
export function narrowScalarFieldEnums(
  source: ClientSource,
  model: string,
  { replacements, expected }: ScalarFieldEnums,
): void {
  const counts = source.replaceAll(replacements)
  for (const property of expected.get(model) ?? []) {
    if (!counts.has(property)) source.unexpected(`\`${property}\` is missing`)
  }
}

function without(all: string, fields: readonly string[]): string {
  if (fields.length === 0) return all
  return `Exclude<${all}, ${fields.map((field) => JSON.stringify(field)).join(' | ')}>`
}
