import type { DatamodelField, DatamodelModel } from './datamodel.js'
import type { BlindIndexOptions, EncryptedOptions, TokenIndexOptions } from './fieldOptions.js'

/** A field and what its annotation asks for. */
export interface Annotated<Options> {
  readonly field: DatamodelField
  readonly options: Options
}

/** A model with its annotations read, before anything is checked against the model itself. */
export interface AnnotatedModel {
  readonly model: DatamodelModel
  readonly isKeys: boolean
  readonly tenants: readonly DatamodelField[]
  readonly encrypted: readonly Annotated<EncryptedOptions>[]
  readonly indexes: readonly Annotated<BlindIndexOptions>[]
  readonly tokenIndexes: readonly Annotated<TokenIndexOptions>[]
}
