import { describe, expect, it } from '@jest/globals'
import { type GeneratorBlock, generatorOptions } from '../../../src/prisma/generator/options.js'

const block = (config: GeneratorBlock['config'], output: string | null = '/out'): GeneratorBlock => ({
  name: 'encryption',
  provider: { value: 'fieldseal-generator' },
  output: { value: output },
  config,
})

describe('generatorOptions, what it refuses', () => {
  it.each<[string, GeneratorBlock['config'], string]>([
    [
      'an unknown option',
      { langauge: 'javascript' },
      'has an unknown option `langauge`; did you mean `language`? it knows provider, output, language, moduleFormat',
    ],
    ['an unknown language', { language: 'coffee' }, 'has language = "coffee"; write "typescript" or "javascript"'],
    [
      'an unknown module format',
      { language: 'javascript', moduleFormat: 'amd' },
      'has moduleFormat = "amd"; write "esm" or "cjs"',
    ],
    [
      'a list where one word is meant',
      { language: ['javascript'] },
      'has language = ["javascript"]; write "typescript" or "javascript"',
    ],
    [
      'a module format for TypeScript',
      { moduleFormat: 'cjs' },
      'has a `moduleFormat`, which only language = "javascript" uses; remove it: TypeScript serves both',
    ],
  ])('refuses %s in a generator block', (_, config, message) => {
    expect(() => generatorOptions(block(config))).toThrow(`generator encryption ${message}`)
  })

  it('refuses a generator block without output', () => {
    const message = 'generator encryption has no `output`; add the folder to write to'
    expect(() => generatorOptions(block({}, null))).toThrow(message)
    expect(() => generatorOptions({ ...block({}), output: null })).toThrow(message)
  })
})

describe('generatorOptions, what it reads', () => {
  it('reads a plain block as TypeScript', () => {
    expect(generatorOptions(block({}))).toEqual({ output: '/out', language: 'typescript', types: 'on' })
  })

  it('reads a JavaScript block, with and without a module format', () => {
    const javascript = { output: '/out', language: 'javascript', types: 'on' }
    expect(generatorOptions(block({ language: 'javascript' }))).toEqual(javascript)
    expect(generatorOptions(block({ language: 'javascript', moduleFormat: 'cjs' }))).toEqual({
      ...javascript,
      moduleFormat: 'cjs',
    })
  })
})
