import type { Annotation } from './annotation.js'

const DECLARATIONS = Symbol.for('fieldseal.declarations')

/** What decorators have said of a class and its properties. */
interface Declarations {
  readonly columns: WeakMap<object, Map<string, DeclaredColumn>>
  readonly tenants: WeakMap<object, Set<string>>
  readonly keys: WeakSet<object>
}

export interface DeclaredColumn {
  readonly annotation: Annotation
  /** The class that TypeScript says the property is of, where it emits that. */
  readonly designType: unknown
}

/** The builds of this library in a realm share them, as those of TypeORM share its metadata. */
const declarations = shared()

export function declareColumn(owner: object, property: string, column: DeclaredColumn): void {
  const columns = declarations.columns.get(owner) ?? new Map<string, DeclaredColumn>()
  declarations.columns.set(owner, columns.set(property, column))
}

export function declareTenant(owner: object, property: string): void {
  const tenants = declarations.tenants.get(owner) ?? new Set<string>()
  declarations.tenants.set(owner, tenants.add(property))
}

export function declareKeys(owner: object): void {
  declarations.keys.add(owner)
}

/** The columns that were declared in a class itself, not in those that it extends. */
export function columnsDeclaredIn(owner: object): ReadonlyMap<string, DeclaredColumn> {
  return declarations.columns.get(owner) ?? new Map()
}

/** The properties of a class that hold the tenant, whether it or one that it extends declares them. */
export function tenantsOf(owner: object): ReadonlySet<string> {
  return new Set(lineage(owner).flatMap((each) => [...(declarations.tenants.get(each) ?? [])]))
}

export function storesKeys(owner: object): boolean {
  return lineage(owner).some((each) => declarations.keys.has(each))
}

/** A class and those that it extends. */
export function lineage(owner: object | null): object[] {
  return owner === null ? [] : [owner, ...lineage(Object.getPrototypeOf(owner) as object | null)]
}

function shared(): Declarations {
  const place = globalThis as { [DECLARATIONS]?: Declarations }
  place[DECLARATIONS] ??= { columns: new WeakMap(), tenants: new WeakMap(), keys: new WeakSet() }
  return place[DECLARATIONS]
}
