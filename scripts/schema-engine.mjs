#!/usr/bin/env node
// Stands in for Prisma's schema-engine program; see prisma.config.ts.
import { tsImport } from 'tsx/esm/api'

await tsImport('./lib/schemaEngineProgram.ts', import.meta.url)
