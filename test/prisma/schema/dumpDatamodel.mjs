import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import helper from '@prisma/generator-helper'

/** A Prisma generator that writes the data model it receives as JSON. */
helper.generatorHandler({
  onManifest: () => ({ prettyName: 'data model' }),
  onGenerate: async ({ generator, dmmf }) => {
    mkdirSync(generator.output.value, { recursive: true })
    writeFileSync(join(generator.output.value, 'datamodel.json'), JSON.stringify(dmmf.datamodel))
  },
})
