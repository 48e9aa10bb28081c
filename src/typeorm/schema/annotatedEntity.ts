import type { Annotated, AnnotatedModel } from '../../schema/annotatedModel.js'
import type { DatamodelEnum } from '../../schema/datamodel.js'
import type { BlindIndexOptions, EncryptedOptions, TokenIndexOptions } from '../../schema/fieldOptions.js'
import { type Annotation, annotationsOf } from './annotation.js'
import { storesKeys, tenantsOf } from './declarations.js'
import type { EntityField, EntityModel } from './entityModel.js'
import { enumValues } from './optionRules.js'
import { ownersOf } from './owners.js'
import { tokenIndexOptions } from './tokenIndexOptions.js'

/** What the annotations of an entity say, in the words of the rules of schemas. */
export interface AnnotatedEntity extends AnnotatedModel {
  readonly model: EntityModel
  /** The enums of its encrypted properties; each is a property's own. */
  readonly enums: readonly DatamodelEnum[]
}

type Encrypted = Extract<Annotation, { kind: 'encrypted' }>
type Index = Extract<Annotation, { kind: 'index' }>

export function annotatedEntity(model: EntityModel): AnnotatedEntity {
  const encrypted = annotatedWith(model, 'encrypted')
  const withEnum = encrypted.filter(({ annotation }) => annotation.options.enum !== undefined)
  return {
    model,
    isKeys: ownersOf(model.entity).some(({ owner }) => storesKeys(owner)) || annotatedWith(model, 'keys').length > 0,
    tenants: tenantFields(model),
    encrypted: encrypted.map((each) => encryptedField(model, each)),
    indexes: annotatedWith(model, 'index').map((each) => indexField(model, each)),
    tokenIndexes: tokenFields(model),
    enums: withEnum.map(({ field, annotation }) => ({
      name: enumName(model, field),
      values: enumValues(annotation.options.enum!).map((value) => ({ name: String(value) })),
    })),
  }
}

function annotatedWith<Kind extends Annotation['kind']>({ fields }: EntityModel, kind: Kind) {
  return fields.flatMap((field) => {
    const annotation = annotationsOf(field.column?.transformer).find((each) => each.kind === kind)
    return annotation === undefined ? [] : [{ field, annotation: annotation as Extract<Annotation, { kind: Kind }> }]
  })
}

interface On<A> {
  readonly field: EntityField
  readonly annotation: A
}

function encryptedField(model: EntityModel, { field, annotation }: On<Encrypted>): Annotated<EncryptedOptions> {
  const { bind = [], enum: values, type, as, pad, state, mode, mask } = annotation.options
  const holds = values === undefined ? type : enumName(model, field)
  return {
    field,
    options: {
      bind: [bind].flat().map((name) => besides(model, field, name)),
      ...(holds === undefined ? {} : { type: holds }),
      ...(as === undefined ? {} : { as }),
      ...(pad === undefined ? {} : { pad }),
      ...(state === undefined ? {} : { state }),
      ...(mode === undefined ? {} : { mode }),
      ...(mask === undefined ? {} : { mask }),
    },
  }
}

function indexField(model: EntityModel, { field, annotation }: On<Index>): Annotated<BlindIndexOptions> {
  const { normalize = [], scope = 'tenant', bits = 128 } = annotation.options
  const sources = annotation.sources.map((name) => besides(model, field, name))
  return { field, options: { sources, normalize, scope, bits } }
}

function tokenFields(model: EntityModel): Annotated<TokenIndexOptions>[] {
  const marked = [...annotatedWith(model, 'textIndex'), ...annotatedWith(model, 'rangeIndex')]
  return marked.map(({ field, annotation }) => {
    const options = tokenIndexOptions(annotation, () => undefined)
    const source = options.source && besides(model, field, options.source)
    return { field, options: { ...options, source } }
  })
}

/** `@Tenant()` on a relation means its foreign key. */
function tenantFields(model: EntityModel): EntityField[] {
  const named = ownersOf(model.entity).flatMap(({ owner, prefix }) =>
    [...tenantsOf(owner)].map((name) => prefix + name),
  )
  const fields = [...new Set(named)].flatMap((path) => fieldOf(model, path) ?? [])
  return [...new Set([...fields, ...annotatedWith(model, 'tenant').map(({ field }) => field)])]
}

function fieldOf({ fields }: EntityModel, path: string): EntityField | undefined {
  const field = fields.find(({ name }) => name === path)
  const key = field?.kind === 'object' ? field.relationFromFields : undefined
  return key?.length === 1 ? fields.find(({ name, column }) => column !== undefined && name === key[0]) : field
}

/** A name in an embedded class means a property of the same class if there is one. */
function besides({ fields }: EntityModel, { name }: EntityField, other: string): string {
  const beside = name.slice(0, name.lastIndexOf('.') + 1) + other
  return fields.some((field) => field.name === beside) ? beside : other
}

function enumName({ name }: EntityModel, field: EntityField): string {
  return `enum of ${name}.${field.name}`
}
