import type { ValueTransformer } from 'typeorm'
import type { BlindIndexOptions, EncryptedOptions, RangeIndexOptions, TextIndexOptions } from './options.js'

/** What a decorator, or a helper for `EntitySchema`, says of a column. */
export type Annotation =
  | { readonly kind: 'encrypted'; readonly options: EncryptedOptions }
  | { readonly kind: 'index'; readonly sources: readonly string[]; readonly options: BlindIndexOptions }
  | { readonly kind: 'textIndex'; readonly source: string; readonly options: TextIndexOptions }
  | { readonly kind: 'rangeIndex'; readonly source: string; readonly options: RangeIndexOptions }
  /** A column of a view that shows a column of a table, which is named as `Entity.property`. */
  | { readonly kind: 'view'; readonly of: string }
  | { readonly kind: 'tenant' }
  /** The entity stores the keys. */
  | { readonly kind: 'keys' }

/** In the registry that all builds of this library and all realms of a process share. */
const ANNOTATION = Symbol.for('fieldseal.annotation')

/** A transformer says what its column is: it is the one thing that TypeORM carries from an option to the metadata. */
export interface AnnotatedTransformer extends ValueTransformer {
  readonly [ANNOTATION]: Annotation
}

export function annotated(transformer: ValueTransformer, annotation: Annotation): AnnotatedTransformer {
  return Object.assign(transformer, { [ANNOTATION]: annotation } as const)
}

/** What the transformers of a column say of it: at most one thing, unless decorators were composed. */
export function annotationsOf(transformer: ValueTransformer | ValueTransformer[] | undefined): Annotation[] {
  const all = Array.isArray(transformer) ? transformer : [transformer]
  return all.flatMap((each) => (each as AnnotatedTransformer | undefined)?.[ANNOTATION] ?? [])
}

/** Whether a column is an index of encrypted ones, which only fieldseal writes. */
export function isIndex({ kind }: Annotation): boolean {
  return kind === 'index' || kind === 'textIndex' || kind === 'rangeIndex'
}
