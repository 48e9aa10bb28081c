import type { ModelSchema } from '../../../schema/encryptionSchema.js'
import type { ClientSource } from './clientSource.js'

/** A model and the file that Prisma generated for it. */
export interface ModelFile {
  readonly name: string
  readonly model: ModelSchema
  readonly source: ClientSource
  /** The enum that a field holds, by the field's name. */
  readonly enumOf: (field: string) => string | undefined
}

/** As Prisma makes the names of types. */
export function capitalized(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
