import type { ColumnRef, Node } from 'libpg-query'

/*
 * The syntax tree as PostgreSQL's parser gives it: every node an object with one member, named after its kind. What has
 * its default (false, 0, nothing) is left out.
 */

type KindsOf<N> = N extends unknown ? keyof N & string : never
export type NodeKind = KindsOf<Node>
export type NodeOf<Kind extends NodeKind> = Extract<Node, { readonly [kind in Kind]: unknown }>[Kind]

/** The node's content, if it is of this kind. */
export function nodeOf<Kind extends NodeKind>(node: Node | undefined, kind: Kind): NodeOf<Kind> | undefined {
  return node && (node as unknown as { readonly [kind in Kind]?: NodeOf<Kind> })[kind]
}

export function kindOf(node: Node): NodeKind {
  return Object.keys(node)[0] as NodeKind
}

/** The contents of those nodes of a list that are of this kind. */
export function nodesOf<Kind extends NodeKind>(nodes: readonly Node[] | undefined, kind: Kind): NodeOf<Kind>[] {
  return (nodes ?? []).flatMap((node) => nodeOf(node, kind) ?? [])
}

/** The texts of a list of names. */
export function namesOf(nodes: readonly Node[] | undefined): string[] {
  return nodesOf(nodes, 'String').map(({ sval = '' }) => sval)
}

/** The last name of a list of them, as of a function or an operator. */
export function lastName(nodes: readonly Node[] | undefined): string | undefined {
  return namesOf(nodes).at(-1)
}

/** Whether a function or operator is PostgreSQL's own of this name, which comes first in the search path. */
export function isBuiltIn(nodes: readonly Node[] | undefined, name: string): boolean {
  const names = namesOf(nodes)
  return names.at(-1) === name && (names.length === 1 || names[0] === 'pg_catalog')
}

/** A reference to a column: the names before it, and its own, or a star. */
export interface ColumnName {
  /** The table's name or alias, where it is written. */
  readonly qualifier: string | undefined
  /** `undefined` for `*`. */
  readonly name: string | undefined
}

export function columnNameOf({ fields = [] }: ColumnRef): ColumnName {
  const names = fields.map((field) => nodeOf(field, 'String')?.sval)
  return { qualifier: names.at(-2), name: names.at(-1) }
}

/** Whether any node below is one that is looked for. */
export function someNode(tree: unknown, isWanted: (kind: string, content: object) => boolean): boolean {
  if (typeof tree !== 'object' || tree === null) return false
  return Object.entries(tree).some(
    ([key, value]) =>
      (typeof value === 'object' && value !== null && isWanted(key, value)) || someNode(value, isWanted),
  )
}
