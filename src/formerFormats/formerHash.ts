import { createHash, getHashes } from 'node:crypto'
import type { invalidOptions } from '../invalidOptions.js'
import type { FormerSearch } from './formerFormat.js'

/** A hash as `/// @encryption:hash(field)?…` of prisma-field-encryption describes it, by the same names. */
export interface FormerHashOptions {
  /** The model's field that holds it: the one with the mark. */
  readonly field: string
  /** Default `sha256`. */
  readonly algorithm?: string
  /** The variable `PRISMA_FIELD_ENCRYPTION_HASH_SALT` unless given. */
  readonly salt?: string
  /** Default `utf8`. */
  readonly inputEncoding?: 'utf8' | 'hex' | 'base64'
  /** Default `hex`. */
  readonly outputEncoding?: 'hex' | 'base64'
  readonly normalize?: readonly (keyof typeof NORMALIZE)[]
}

/** In the order in which they are applied, whatever order they are named in. */
const NORMALIZE = {
  lowercase: (text: string) => text.toLowerCase(),
  uppercase: (text: string) => text.toUpperCase(),
  trim: (text: string) => text.trim(),
  spaces: (text: string) => text.replace(/\s/g, ''),
  diacritics: (text: string) => text.normalize('NFD').replace(/[\u0300-\u036f]/g, ''),
}

/**
 * How rows are found by their hash.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function formerHash(options: FormerHashOptions, invalid: ReturnType<typeof invalidOptions>): FormerSearch {
  const { field, algorithm = 'sha256', salt = process.env.PRISMA_FIELD_ENCRYPTION_HASH_SALT } = options
  const { inputEncoding = 'utf8', outputEncoding = 'hex', normalize = [] } = options
  if (typeof field !== 'string' || field === '') throw invalid('needs "hash.field", the field that holds the hash')
  if (!getHashes().includes(algorithm)) throw invalid('has a "hash.algorithm" that this Node.js does not know')
  if (!['utf8', 'hex', 'base64'].includes(inputEncoding))
    throw invalid('takes "utf8", "hex" or "base64" for "hash.inputEncoding"')
  if (!['hex', 'base64'].includes(outputEncoding)) throw invalid('takes "hex" or "base64" for "hash.outputEncoding"')
  if (!normalize.every((name) => Object.hasOwn(NORMALIZE, name)))
    throw invalid(`takes ${Object.keys(NORMALIZE).join(', ')} for "hash.normalize"`)
  const steps = Object.entries(NORMALIZE).filter(([name]) => (normalize as readonly string[]).includes(name))
  return {
    field,
    formOf: (text) => {
      const hash = createHash(algorithm)
      hash.update(
        Buffer.from(
          steps.reduce((form, [, step]) => step(form), text),
          inputEncoding,
        ),
      )
      if (salt) hash.update(Buffer.from(salt, inputEncoding))
      const digest = hash.digest(outputEncoding)
      return outputEncoding === 'hex' ? digest : digest.replaceAll('+', '-').replaceAll('/', '_')
    },
  }
}
