import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import helper from '@prisma/generator-helper'

/** A Prisma generator that writes the data model it receives as JSON, and all that generators are handed. */
helper.generatorHandler({
  onManifest: () => ({ prettyName: 'data model' }),
  onGenerate: async ({ generator, otherGenerators, datasources, datamodel, dmmf }) => {
    const write = (name, value) => writeFileSync(join(generator.output.value, name), JSON.stringify(value))
    mkdirSync(generator.output.value, { recursive: true })
    write('datamodel.json', dmmf.datamodel)
    write('input.json', { generator, otherGenerators, datasources, datamodel, dmmf: { datamodel: dmmf.datamodel } })
  },
})
