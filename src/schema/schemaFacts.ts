import type { AnnotatedModel } from './annotatedModel.js'
import type { Datamodel } from './datamodel.js'
import type { SchemaWording } from './wording.js'

/** What rules may look at beyond their own subject. */
export interface SchemaFacts {
  readonly datamodel: Datamodel
  /** Names of views, which the data model itself does not tell from models. */
  readonly views: ReadonlySet<string>
  readonly annotated: readonly AnnotatedModel[]
  readonly wording: SchemaWording
}
