import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { keysModelSource } from '../../../src/prisma/schema/keysModelSource.js'
import { prismaGenerate, project, useSource } from './prismaGenerate.js'

const docs = readFileSync(new URL('../../../docs/annotations.md', import.meta.url), 'utf8')
const examples = [...docs.matchAll(/```prisma\n([\s\S]*?)```/g)].map(([, example]) => example!)
const blocks = examples[0]!.slice(0, examples[0]!.indexOf('model User'))
const completeModels = examples.filter((example) => /model (Patient|Customer|Employee)/.test(example))

describe('docs/annotations.md', () => {
  it('shows a complete schema that generates as it stands', async () => {
    expect(await generateText(examples[0]!)).toMatchObject({ code: 0 })
  })

  it('shows models that generate beside the keys model', async () => {
    expect(completeModels).toHaveLength(3)
    expect(await generateText([blocks, ...completeModels, keysModelSource].join('\n'))).toMatchObject({ code: 0 })
  })
})

function generateText(text: string) {
  const schema = join(project(), 'schema.prisma')
  writeFileSync(schema, useSource(text.replaceAll('"../src/', '"./')))
  return prismaGenerate(schema)
}
