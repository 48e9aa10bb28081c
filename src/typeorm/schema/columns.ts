import type { EntitySchemaColumnOptions, ValueTransformer } from 'typeorm'
import { plainTransformer, sealingTransformer } from '../seal/sealingTransformer.js'
import { type Annotation, annotated } from './annotation.js'
import type {
  BlindIndexOptions,
  EncryptedOptions,
  EncryptedViewOptions,
  RangeIndexOptions,
  TextIndexOptions,
} from './options.js'

/**
 * An encrypted column of an `EntitySchema`.
 *
 * @example
 * ```ts
 * export const UserSchema = new EntitySchema<User>({
 *   name: 'User',
 *   columns: {
 *     id: { type: 'uuid', primary: true },
 *     tenantId: tenant({ type: 'text' }),
 *     email: encrypted({ bind: 'id' }),
 *     emailIndex: blindIndex('email', { normalize: ['trim', 'lowercase'], unique: true }),
 *   },
 * })
 * ```
 */
export function encrypted(options: EncryptedOptions = {}): EntitySchemaColumnOptions {
  const { column = 'text', array, nullable = false, select = true, name, comment } = options
  return {
    type: column,
    nullable,
    select,
    ...(array ? { array } : {}),
    ...(name === undefined ? {} : { name }),
    ...(comment === undefined ? {} : { comment }),
    transformer: annotated(sealingTransformer(), { kind: 'encrypted', options }),
  }
}

/**
 * The blind index of an encrypted column of an `EntitySchema`, or of several for lookups by all of them. Only fieldseal
 * writes it, and results do not show it.
 */
export function blindIndex<Entity = Record<string, unknown>>(
  sources: (keyof Entity & string) | readonly (keyof Entity & string)[],
  options: BlindIndexOptions = {},
): EntitySchemaColumnOptions {
  const { column = 'text', unique, name, comment } = options
  const annotation = { kind: 'index', sources: [sources ?? []].flat() as readonly string[], options } as const
  return {
    type: column,
    nullable: true,
    select: false,
    insert: false,
    update: false,
    ...(unique ? { unique } : {}),
    ...(name === undefined ? {} : { name }),
    ...(comment === undefined ? {} : { comment }),
    transformer: annotated(plainTransformer(), annotation),
  }
}

/**
 * The index of the parts of an encrypted text of an `EntitySchema`: its beginnings, ends, words or grams. Only fieldseal
 * writes it, and results do not show it.
 */
export function textIndex<Entity = Record<string, unknown>>(
  source: keyof Entity & string,
  options: TextIndexOptions = {},
): EntitySchemaColumnOptions {
  return tokenColumn({ kind: 'textIndex', source, options })
}

/** The index of an encrypted number or date of an `EntitySchema` by which it is compared: `<`, `BETWEEN`. */
export function rangeIndex<Entity = Record<string, unknown>>(
  source: keyof Entity & string,
  options: RangeIndexOptions,
): EntitySchemaColumnOptions {
  return tokenColumn({ kind: 'rangeIndex', source, options })
}

function tokenColumn(
  annotation: Extract<Annotation, { readonly kind: 'textIndex' | 'rangeIndex' }>,
): EntitySchemaColumnOptions {
  // Who has no compiler may leave them out, which is reported with all else that is wrong.
  const { name, comment } = annotation.options ?? {}
  return {
    type: 'uuid',
    array: true,
    nullable: true,
    select: false,
    insert: false,
    update: false,
    ...(name === undefined ? {} : { name }),
    ...(comment === undefined ? {} : { comment }),
    transformer: annotated(plainTransformer(), annotation),
  }
}

/** The column of an `EntitySchema` that holds whose the row is. */
export function tenant<Options extends EntitySchemaColumnOptions>(options: Options): Options {
  const mark = annotated(plainTransformer(), { kind: 'tenant' })
  return { ...options, transformer: [...[options.transformer ?? []].flat(), mark] }
}

/** A column of a view, in an `EntitySchema`, that shows an encrypted column, or the blind index of one, as it is. */
export function encryptedView(of: string, { name, select }: EncryptedViewOptions = {}): EntitySchemaColumnOptions {
  return {
    type: 'text',
    ...(name === undefined ? {} : { name }),
    ...(select === false ? { select } : {}),
    transformer: viewTransformer(of),
  }
}

export function viewTransformer(of: string): ValueTransformer {
  return annotated(sealingTransformer(), { kind: 'view', of })
}
