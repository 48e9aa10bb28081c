import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from '@jest/globals'
import type { GenerateInput } from '../../../src/prisma/generator/generate.js'
import type { Datamodel } from '../../../src/schema/datamodel.js'
import { commandLine, prismaGenerate, projectWith, provider } from '../generator/prismaGenerate.js'

const dump = JSON.stringify(
  commandLine(process.execPath, fileURLToPath(new URL('./dumpDatamodel.mjs', import.meta.url))),
)

/** A block for a Prisma schema that has all that generators are handed written to `dump/input.json`. */
export const dumpBlock = `generator dump {\n  provider = ${dump}\n  output = "./dump"\n}\n`

/** The data model of these models, as Prisma itself hands it to generators. */
export async function datamodelOf(models: string): Promise<Datamodel> {
  return (await dumped(models, 'datamodel.json')) as Datamodel
}

/** All that Prisma hands to the generator for these models. */
export async function generateInputOf(models: string): Promise<GenerateInput> {
  return (await dumped(models, 'input.json')) as GenerateInput
}

async function dumped(models: string, name: string): Promise<unknown> {
  const { folder, schema } = projectWith(models, 'output = "./dump"')
  writeFileSync(schema, readFileSync(schema, 'utf8').replace(JSON.stringify(provider), dump))
  const { code, output } = await prismaGenerate(schema)
  expect(output).toContain('Generated data model')
  expect(code).toBe(0)
  return JSON.parse(readFileSync(join(folder, 'dump', name), 'utf8'))
}

/** The same data model with only these models. */
export function only({ models, enums, indexes }: Datamodel, ...names: string[]): Datamodel {
  return {
    models: models.filter(({ name }) => names.includes(name)),
    enums,
    indexes: indexes.filter(({ model }) => names.includes(model)),
  }
}
