import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'prisma/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Where npm could not download Prisma's schema engine, its WebAssembly twin from npm does the work.
const official = readdirSync(here('node_modules/@prisma/engines')).some((name) => name.startsWith('schema-engine-'))
if (!official) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= here('scripts/schema-engine.mjs')

const url = process.env.DATABASE_URL

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url } } : {}),
})
