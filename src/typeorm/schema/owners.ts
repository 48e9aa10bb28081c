import type { EntityMetadata } from 'typeorm'

/** A class whose properties an entity has, and where it has them. */
export interface Owner {
  readonly owner: object
  /** `profile.` of an embedded class; empty otherwise. */
  readonly prefix: string
}

/** The classes that an entity is made of: its own, those that it extends and, in one table, that extend it; embedded ones. */
export function ownersOf({ inheritanceTree, allEmbeddeds }: EntityMetadata): Owner[] {
  const own = inheritanceTree.map((owner) => ownerOf(owner, ''))
  const embedded = allEmbeddeds.map(({ type, propertyPath }) => ownerOf(type, `${propertyPath}.`))
  return [...own, ...embedded].flat()
}

/** An `EntitySchema` without a class has a name in its place. */
function ownerOf(owner: unknown, prefix: string): Owner[] {
  return typeof owner === 'function' ? [{ owner, prefix }] : []
}
