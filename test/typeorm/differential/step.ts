/*
 * What is done to both data sources, in words that JSON can write.
 */

/** A condition on one column, as find operators are. */
type Valued = 'value' | 'Equal' | 'Like' | 'ILike' | 'MoreThan' | 'MoreThanOrEqual' | 'LessThan' | 'LessThanOrEqual'

export type Condition =
  | { readonly is: Valued; readonly value: unknown }
  | { readonly is: 'In' | 'Any' | 'Between' | 'ArrayContains'; readonly values: readonly unknown[] }
  | { readonly is: 'IsNull' }
  | { readonly is: 'Not'; readonly of: Condition }
  | { readonly is: 'And' | 'Or'; readonly all: readonly Condition[] }
  | { readonly is: 'Raw'; readonly operator: '=' | '<>' | '<' | 'function'; readonly value: unknown }

export interface Where {
  readonly columns: { readonly [path: string]: Condition }
  readonly relations: { readonly [field: string]: Where }
}

/** A row to write; a relation's rows are written with it where it cascades, else they are meant by their keys. */
export interface Row {
  readonly values: { readonly [path: string]: unknown }
  readonly relations: { readonly [field: string]: Row | readonly Row[] | null }
}

export interface FindOptions {
  /** One of them is enough. */
  readonly where: readonly Where[]
  readonly relations: Shape
  readonly select?: readonly string[]
  readonly order: { readonly [path: string]: 'ASC' | 'DESC' }
  readonly take?: number
  readonly skip?: number
  readonly withDeleted?: boolean
  readonly byQueries?: boolean
}

export interface Shape {
  readonly [field: string]: Shape
}

/** A condition as SQL writes it. */
export type Expression =
  | { readonly is: 'compare'; readonly column: Ref; readonly operator: Operator; readonly values: readonly unknown[] }
  | { readonly is: 'null'; readonly column: Ref; readonly not: boolean }
  | { readonly is: 'columns'; readonly left: Ref; readonly right: Ref }
  | { readonly is: 'and' | 'or'; readonly all: readonly Expression[] }
  | { readonly is: 'not'; readonly of: Expression }
  /** Among the keys of those rows of an entity for which it is true. */
  | { readonly is: 'in' | 'exists'; readonly column: Ref; readonly entity: string; readonly where: Expression }

export type Operator =
  | '='
  | '<>'
  | '!='
  | 'IN'
  | 'NOT IN'
  | '= ANY'
  | '<> ALL'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'LIKE'
  | 'NOT LIKE'
  | 'IS DISTINCT FROM'
  | 'literal'
  | 'function'

export interface Ref {
  readonly alias: string
  readonly entity: string
  readonly path: string
}

export interface Join {
  readonly way: 'leftJoin' | 'innerJoin' | 'leftJoinAndSelect' | 'innerJoinAndSelect'
  readonly from: string
  readonly field: string
  readonly alias: string
  readonly entity: string
  readonly on?: Expression
}

export interface Builder {
  readonly entity: string
  readonly joins: readonly Join[]
  readonly where?: Expression
  /** In place of all columns. */
  readonly select?: readonly Selected[]
  readonly groupBy?: Ref
  readonly having?: number
  readonly order: readonly Ref[]
  readonly take?: number
  readonly skip?: number
  readonly distinct?: boolean
  readonly withDeleted?: boolean
  readonly lock?: boolean
  readonly around?: 'cte' | 'subquery'
  readonly end: BuilderEnd
}

export type BuilderEnd =
  | 'getMany'
  | 'getOne'
  | 'getRawMany'
  | 'getRawAndEntities'
  | 'getCount'
  | 'getManyAndCount'
  | 'getExists'
  | 'stream'

export interface Selected {
  readonly computes?: 'count' | 'max' | 'sum'
  readonly column: Ref
  readonly as: string
}

export type Action =
  | { readonly do: 'save' | 'insert'; readonly entity: string; readonly rows: readonly Row[] }
  | { readonly do: 'upsert'; readonly entity: string; readonly rows: readonly Row[]; readonly conflict: string }
  | { readonly do: 'preload'; readonly entity: string; readonly rows: readonly Row[] }
  | { readonly do: 'update'; readonly entity: string; readonly where: Where; readonly set: Row }
  /** Finds, changes and saves. */
  | { readonly do: 'change'; readonly entity: string; readonly where: Where; readonly set: Row }
  | { readonly do: 'remove' | 'softRemove' | 'recover'; readonly entity: string; readonly where: Where }
  | { readonly do: 'delete' | 'softDelete' | 'restore'; readonly entity: string; readonly where: Where }
  | { readonly do: 'increment' | 'decrement'; readonly entity: string; readonly where: Where; readonly path: string }
  | {
      readonly do: 'sum' | 'average' | 'minimum' | 'maximum'
      readonly entity: string
      readonly where: Where
      readonly path: string
    }
  | { readonly do: Finding; readonly entity: string; readonly options: FindOptions }
  | { readonly do: 'select'; readonly builder: Builder }
  | {
      readonly do: 'insertBuilder'
      readonly entity: string
      readonly rows: readonly Row[]
      readonly orIgnore: boolean
      readonly returning: readonly string[]
    }
  | {
      readonly do: 'updateBuilder'
      readonly entity: string
      readonly where: Expression
      readonly set: Row
      readonly returning: readonly string[]
    }
  | {
      readonly do: 'deleteBuilder' | 'softDeleteBuilder' | 'restoreBuilder'
      readonly entity: string
      readonly where: Expression
    }
  | {
      readonly do: 'relation'
      readonly way: 'add' | 'remove' | 'set' | 'loadMany'
      readonly entity: string
      readonly field: string
      readonly of: unknown
      readonly ids: readonly unknown[]
    }
  | { readonly do: 'tree'; readonly way: TreeWay; readonly entity: string; readonly id: unknown }
  | {
      readonly do: 'raw'
      readonly form: RawForm
      readonly columns: readonly Ref[]
      readonly where: Expression
      readonly set?: Row
    }

export type Finding = 'find' | 'findOne' | 'findOneOrFail' | 'findAndCount' | 'count' | 'exists' | 'lazy'
export type TreeWay =
  | 'findTrees'
  | 'findRoots'
  | 'findDescendants'
  | 'findAncestors'
  | 'countDescendants'
  | 'findAncestorsTree'
  | 'findDescendantsTree'
export type RawForm = 'SELECT' | 'WITH' | 'subquery' | 'LATERAL' | 'UPDATE' | 'DELETE'

export interface Step {
  /** `plaintext`: no action, but every other row of an entity becomes plaintext in the columns that are migrating. */
  readonly kind: 'alone' | 'transaction' | 'plaintext'
  readonly actions: readonly Action[]
  readonly rollback?: boolean
  /** After the first action, the others are done inside of a savepoint, to which is rolled back. */
  readonly savepoint?: boolean
  readonly entity?: string
}

export type Case = readonly Step[]
