import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { looksPersonal } from '../doctor/names.js'
import { type Candidate, type ProjectFacts, type TenantColumn, tenantRank } from './answers.js'
import { type EntityColumn, type FoundEntity, findEntities } from './entities.js'
import { installedKms } from './kmsCode.js'
import type { TextFile } from './plan.js'
import { readPackage } from './readPackage.js'

const TEXT = new Set(['text', 'varchar', 'character varying', 'String'])

/** What the entities say, as far as their texts tell. */
export function typeormFacts(root: string, sources: readonly TextFile[], isConfigured: boolean): ProjectFacts {
  const entities = findEntities(sources)
  const named = (of: (entity: FoundEntity) => readonly string[]) =>
    entities.flatMap((entity) => of(entity).map((property) => `${entity.name}.${property}`))
  return {
    candidates: entities.flatMap(candidatesOf),
    marked: named(({ encrypted }) => encrypted),
    indexed: named(({ indexed }) => indexed),
    tenantColumns: tenantColumnsOf(entities),
    hasTenantName: entities.some(({ columns }) => columns.some(({ name }) => tenantRank(name) >= 0)),
    markedTenant: entities.flatMap(({ tenant }) => tenant ?? [])[0],
    isConfigured,
    kms: installedKms(readPackage(root)),
    hasRows: ['migrations', 'src/migrations', 'src/migration'].some((folder) => existsSync(join(root, folder))),
  }
}

function candidatesOf({ name, columns, keys, tenant }: FoundEntity): Candidate[] {
  return columns
    .filter(
      (column) =>
        column.name !== tenant && tenantRank(column.name) < 0 && (isText(column) || looksPersonal(column.name)),
    )
    .map((column) => ({
      name: `${name}.${column.name}`,
      looksPersonal: looksPersonal(column.name),
      problem: problemOf(column),
      canIndex: true,
      needsIndex: column.isIndexed || keys.some(({ properties }) => properties.includes(column.name)),
    }))
}

function isText({ type, column }: EntityColumn): boolean {
  return type === 'string' && (column === undefined || TEXT.has(column))
}

function problemOf(column: EntityColumn): string | undefined {
  if (!isText(column)) return `is ${column.column ?? column.type}: its column must become text first`
  return column.hasDefault ? 'has a default, which would store plaintext: remove it, and give the value' : undefined
}

function tenantColumnsOf(entities: readonly FoundEntity[]): TenantColumn[] {
  const columns = new Map<string, string[]>()
  for (const entity of entities)
    for (const { name, type, isNullable } of entity.columns)
      if (type === 'string' && !isNullable) columns.set(name, [...(columns.get(name) ?? []), entity.name])
  return [...columns].map(([name, models]) => ({
    name,
    models,
    isLikely: tenantRank(name) >= 0 || /[a-z](Id|_id)$/.test(name),
  }))
}
