import type { EntityMetadata } from 'typeorm'
import type { DatamodelField } from '../../schema/datamodel.js'
import { type ForeignKeyMetadata, pathsOf, type RelationMetadata, rootOf } from './metadata.js'

/** The relations of an entity, and its foreign keys without one. */
export function relationFields({ relations, foreignKeys }: EntityMetadata): DatamodelField[] {
  const alone = foreignKeys.filter((key) => !relations.some((relation) => relation.foreignKeys.includes(key)))
  return [...relations.map(relationField), ...alone.map(foreignKeyField)]
}

function relationField(relation: RelationMetadata): DatamodelField {
  const { joinColumns, isManyToMany, isNullable, onUpdate } = relation
  const keys = isManyToMany ? [] : joinColumns
  return {
    ...relationTo(rootOf(relation.inverseEntityMetadata)),
    name: relation.propertyPath,
    relationName: nameOf(relation),
    isList: relation.isOneToMany || isManyToMany,
    isRequired: !isNullable,
    relationFromFields: pathsOf(keys),
    relationToFields: pathsOf(keys.map(({ referencedColumn }) => referencedColumn!)),
    relationOnUpdate: actionOf(onUpdate),
  }
}

function foreignKeyField({ name, columns, referencedEntityMetadata, referencedColumns, onUpdate }: ForeignKeyMetadata) {
  const from = pathsOf(columns)
  return {
    ...relationTo(rootOf(referencedEntityMetadata)),
    name: `foreign key of ${from.join(', ')}`,
    relationName: name,
    isList: false,
    isRequired: true,
    relationFromFields: from,
    relationToFields: pathsOf(referencedColumns),
    relationOnUpdate: actionOf(onUpdate),
  }
}

function relationTo({ name }: EntityMetadata) {
  return { kind: 'object', type: name, isUnique: false, isId: false, hasDefaultValue: false } as const
}

/** The two sides of a relation share it. */
function nameOf(relation: RelationMetadata): string {
  const { isOwning, inverseRelation: inverse } = relation
  const side = isOwning || inverse === undefined ? relation : inverse
  return `${side.entityMetadata.name}.${side.propertyPath}`
}

/** Prisma's name of what is done to a foreign key when what it refers to changes; TypeORM does nothing unless told. */
function actionOf(action: string | undefined): string {
  if (action === undefined || action === 'NO ACTION') return 'NoAction'
  return action === 'RESTRICT' ? 'Restrict' : action
}
