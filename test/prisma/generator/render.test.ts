import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { render } from '../../../src/prisma/generator/render.js'
import type { EncryptionSchema } from '../../../src/schema/encryptionSchema.js'

const schemaWith = (table: string): EncryptionSchema => ({
  format: 4,
  keysModel: '',
  models: { M: { table, id: [], uniques: {}, columns: {}, encrypted: {}, indexes: {}, bound: {}, relations: {} } },
})

function evaluate(source: string): unknown {
  const exported: { encryptionSchema?: unknown } = {}
  new Function('exports', source)(exported)
  return exported.encryptionSchema
}

describe('render', () => {
  it('writes source that evaluates to the schema, whatever a table is called', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^['"\\`\n*/$\u2028{}]*$/))
    fc.assert(
      fc.property(text, (table) => {
        const files = render(schemaWith(table), { language: 'javascript', moduleFormat: 'cjs' })
        expect(evaluate(files['index.js']!)).toEqual(schemaWith(table))
      }),
    )
  })

  it('breaks lines at 100 characters and ends the file with one line break', () => {
    const text = render(schemaWith('short'), { language: 'typescript' })['index.ts']!
    expect(text).toContain("\n    M: {\n      table: 'short',\n      id: [],\n")
    expect(text).toMatch(/[^\n]\n$/)
  })
})
