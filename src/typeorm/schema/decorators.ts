import { Column, Entity, type EntityOptions, ViewColumn } from 'typeorm'
import { type Annotation, annotationsOf } from './annotation.js'
import { blindIndex, encrypted, rangeIndex, textIndex, viewTransformer } from './columns.js'
import { declareColumn, declareKeys, declareTenant } from './declarations.js'
import type {
  BlindIndexOptions,
  EncryptedOptions,
  EncryptedViewOptions,
  RangeIndexOptions,
  TextIndexOptions,
} from './options.js'

/**
 * Makes a property an encrypted column. It takes the place of `@Column`.
 *
 * @example
 * ```ts
 * @Entity()
 * class User {
 *   @PrimaryColumn('uuid') id: string = randomUUID()
 *   @Tenant() @Column() tenantId!: string
 *   @Encrypted({ bind: 'id', mask: 'email' }) email!: string
 *   @Encrypted({ type: 'Json', nullable: true }) notes!: { likes: string[] } | null
 * }
 * ```
 */
export function Encrypted(options: EncryptedOptions = {}): PropertyDecorator {
  const column = encrypted(options)
  return decorator(annotationsOf(column.transformer)[0]!, Column(column))
}

/**
 * Makes a property the blind index of an encrypted one, or of several for lookups by all of them. Only fieldseal writes
 * it, and results do not show it. It takes the place of `@Column`.
 *
 * @example
 * ```ts
 * @Entity()
 * class User {
 *   @PrimaryColumn('uuid') id: string = randomUUID()
 *   @Encrypted() email!: string
 *   @BlindIndex<User>('email', { normalize: ['trim', 'lowercase'], unique: true }) emailIndex?: string
 * }
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type argument, any property may be named
export function BlindIndex<Entity = any>(
  sources: (keyof Entity & string) | readonly (keyof Entity & string)[],
  options: BlindIndexOptions = {},
): PropertyDecorator {
  const column = blindIndex<Entity>(sources, options)
  return decorator(annotationsOf(column.transformer)[0]!, Column(column))
}

/**
 * Makes a property the index of the parts of an encrypted text, by which `LIKE` and `Words` find it. Only fieldseal writes
 * it, and results do not show it. It takes the place of `@Column`, and wants a GIN index beside it.
 *
 * @example
 * ```ts
 * @Entity()
 * class Patient {
 *   @PrimaryColumn('uuid') id: string = randomUUID()
 *   @Encrypted() name!: string
 *   @Index('patient_name', { type: 'gin' })
 *   @TextIndex<Patient>('name', { prefix: [2, 10], words: true, normalize: ['trim', 'lowercase'] })
 *   nameTokens?: string[]
 * }
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type argument, any property may be named
export function TextIndex<Entity = any>(source: keyof Entity & string, options: TextIndexOptions): PropertyDecorator {
  const column = textIndex<Entity>(source, options)
  return decorator(annotationsOf(column.transformer)[0]!, Column(column))
}

/**
 * Makes a property the index by which an encrypted number or date is compared: `MoreThan`, `Between`. Only fieldseal writes
 * it, and results do not show it. It takes the place of `@Column`, and wants a GIN index beside it.
 *
 * @example
 * ```ts
 * @Entity()
 * class Patient {
 *   @PrimaryColumn('uuid') id: string = randomUUID()
 *   @Encrypted({ type: 'DateTime' }) birthDate!: Date
 *   @Index('patient_born', { type: 'gin' })
 *   @RangeIndex<Patient>('birthDate', { min: '1900-01-01', max: '2100-01-01' })
 *   birthDateTokens?: string[]
 * }
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: without a type argument, any property may be named
export function RangeIndex<Entity = any>(source: keyof Entity & string, options: RangeIndexOptions): PropertyDecorator {
  const column = rangeIndex<Entity>(source, options)
  return decorator(annotationsOf(column.transformer)[0]!, Column(column))
}

/** Marks the column that holds whose the row is, beside `@Column` or the decorator of a relation. */
export function Tenant(): PropertyDecorator {
  return (prototype, property) => declareTenant(prototype.constructor, String(property))
}

/**
 * Makes a class the entity that stores the wrapped keys. It takes the place of `@Entity`.
 *
 * @param options of `@Entity`; the table is `encryption_keys` unless given
 *
 * @example
 * ```ts
 * @EncryptionKeys()
 * class EncryptionKey extends EncryptionKeyColumns {}
 * ```
 */
export function EncryptionKeys(options: EntityOptions = {}): ClassDecorator {
  return (owner) => {
    declareKeys(owner)
    Entity({ name: KEYS_TABLE, ...options })(owner)
  }
}

/**
 * Makes a property the column of a view that shows an encrypted column as it is. It takes the place of `@ViewColumn`.
 *
 * @param of the column, as `Entity.property`; or a blind index, by which the view can then be searched
 *
 * @example
 * ```ts
 * @ViewEntity({ expression: 'SELECT id, email, "emailIndex" FROM "user"' })
 * class Contact {
 *   @ViewColumn() id!: string
 *   @EncryptedView('User.email') email!: string
 *   @EncryptedView('User.emailIndex', { select: false }) emailIndex?: string
 * }
 * ```
 */
export function EncryptedView(of: string, { name, select }: EncryptedViewOptions = {}): PropertyDecorator {
  const transformer = viewTransformer(of)
  const options = { ...(name === undefined ? {} : { name }), ...(select === false ? { select } : {}), transformer }
  return decorator(annotationsOf(transformer)[0]!, ViewColumn(options))
}

export const KEYS_TABLE = 'encryption_keys'

/** Also remembers what it said: whether TypeORM made the column of it is looked at when the data source begins. */
function decorator(annotation: Annotation, column: PropertyDecorator): PropertyDecorator {
  return (prototype, property) => {
    const designType = metadataOf(prototype, property)
    declareColumn(prototype.constructor, String(property), { annotation, designType })
    column(prototype, property)
  }
}

function metadataOf(prototype: object, property: string | symbol): unknown {
  const reflect = Reflect as { getMetadata?: (key: string, target: object, property: string | symbol) => unknown }
  return reflect.getMetadata?.('design:type', prototype, property)
}
