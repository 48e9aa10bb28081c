#!/usr/bin/env node
import helper from '@prisma/generator-helper'
import { generate } from '../prisma/generator/generate.js'

if (process.stdin.isTTY) {
  console.error('fieldseal-generator is started by `prisma generate`, from a generator block of the Prisma schema:')
  console.error(
    'generator encryption {\n  provider = "fieldseal-generator"\n  output   = "../src/generated/encryption"\n}',
  )
  process.exit(1)
}

helper.generatorHandler({
  onManifest: () => ({ prettyName: 'fieldseal encryption schema' }),
  onGenerate: async (options) => generate(options),
})
