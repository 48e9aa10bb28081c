import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ProjectFacts, tenantRank } from './answers.js'
import type { FoundSchema } from './findSchema.js'
import { installedKms } from './kmsCode.js'
import { readPackage } from './readPackage.js'
import { schemaCandidates, schemaTenantColumns } from './schemaCandidates.js'
import { type SchemaModel, schemaModels } from './schemaModels.js'

/** What the Prisma schema and its folder say. */
export function prismaFacts(root: string, found: FoundSchema, isConfigured: boolean): ProjectFacts {
  const { files } = found
  const models = files.flatMap(({ text }) => schemaModels(text))
  return {
    candidates: schemaCandidates(models),
    marked: namesWith(models, /@encrypted\b/),
    indexed: models.flatMap(indexedFields),
    tenantColumns: schemaTenantColumns(models),
    hasTenantName: models.some(({ isKeys, fields }) => !isKeys && fields.some(({ name }) => tenantRank(name) >= 0)),
    markedTenant: namesWith(models, /@tenant\b/)[0]?.split('.')[1],
    isConfigured,
    kms: installedKms(readPackage(root)),
    hasRows: migrationFolders(root, found).some(hasFolders),
  }
}

function namesWith(models: readonly SchemaModel[], mark: RegExp): string[] {
  return models.flatMap(({ name, fields }) =>
    fields.filter(({ documentation }) => mark.test(documentation)).map((field) => `${name}.${field.name}`),
  )
}

function indexedFields({ name, fields }: SchemaModel): string[] {
  return fields.flatMap(({ documentation }) => {
    const source = /@blindIndex\s*\(\s*(\w+)/.exec(documentation)?.[1]
    return source === undefined ? [] : [`${name}.${source}`]
  })
}

function migrationFolders(root: string, { files, folder, migrations }: FoundSchema): string[] {
  const beside = join(folder ?? dirname(files[0]!.path), 'migrations')
  return [...(migrations === undefined ? [] : [migrations]), beside, join(root, 'prisma/migrations')]
}

/** Each migration is a folder. A table that one has made may have rows. */
function hasFolders(folder: string): boolean {
  try {
    return readdirSync(folder, { withFileTypes: true }).some((entry) => entry.isDirectory())
  } catch {
    return false
  }
}
