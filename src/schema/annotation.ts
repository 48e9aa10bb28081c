/** The annotations of this library, as they are written after the `@`. */
export const annotationNames = [
  'encrypted',
  'blindIndex',
  'textIndex',
  'rangeIndex',
  'tenant',
  'encryptionKeys',
] as const

export type AnnotationName = (typeof annotationNames)[number]

export type Scalar =
  | { readonly kind: 'identifier'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  /** `text` is without underscores, and says what a number cannot hold. */
  | { readonly kind: 'number'; readonly number: number; readonly text: string }

export type Value = Scalar | { readonly kind: 'list'; readonly items: readonly Scalar[] }

/** `name: value`, or a bare value where `name` is absent. */
export interface Argument {
  readonly name?: string
  readonly value: Value
}

export interface Annotation {
  readonly name: AnnotationName
  readonly args: readonly Argument[]
}
