import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseArguments } from '../../../src/prisma/schema/annotationArguments.js'
import type { Argument, Scalar, Value } from '../../../src/schema/annotation.js'

describe('parseArguments, what it refuses', () => {
  it.each([
    ['(', 'the documentation ends where a name, a list [a, b], a number or a text in double quotes should be'],
    ['(a', 'the documentation ends where `,` or `)` should be'],
    ['(a b)', '`b` stands where `,` or `)` should be'],
    ['(,)', '`,` stands where a name'],
    ['(a,)', '`)` stands where a name'],
    ['(bind:)', '`)` stands where a name'],
    ['(bind: [a)', '`)` stands where `,` or `]` should be'],
    ['(bind: [a b])', '`b` stands where `,` or `]` should be'],
    ['(bind: [a, [b]])', '`[` stands where a name'],
    ['(bind: id])', '`]` stands where `,` or `)` should be'],
    ['(bind = id)', '`=` stands where `,` or `)` should be'],
    ['("bind": id)', '`:` stands where `,` or `)` should be'],
    ['(as: User.email)', '`.` stands where `,` or `)` should be; a text with a dot stands in double quotes'],
    [
      "(as: 'User.email')",
      "`'` stands where a name, a list [a, b], a number or a text in double quotes should be; a text stands in double quotes",
    ],
    [
      '(as: "User.email)',
      '`"` stands where a name, a list [a, b], a number or a text in double quotes should be; a text stands in double quotes, closed on the same line',
    ],
    ['(as: "\\x")', '`"` stands where'],
    ['(bits: 12abc)', '`1` stands where'],
    ['(bits: 1.2.3)', '`1` stands where'],
    ['(max: 1_)', '`1` stands where'],
    ['(max: 1__0)', '`1` stands where'],
    [
      '(min: 1900-01-01)',
      '`-01` stands where `,` or `)` should be; a date or duration stands in double quotes: min: "1900-01-01", step: "1d"',
    ],
    ['(step: 1d)', 'a date or duration stands in double quotes'],
    ['(bind：id)', '`：` stands where `,` or `)` should be; type the ASCII character'],
  ])('refuses the arguments %s', (text, message) => {
    expect(() => parseArguments(text)).toThrow(message)
  })

  it('refuses any text at all without another error than its own', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z()[\],:" .\n\d\\@-]*$/)), (text) => {
        try {
          parseArguments(`(${text}`)
        } catch (error) {
          expect(error).toMatchObject({ name: 'FieldsealError', code: 'SCHEMA_INVALID' })
        }
      }),
    )
  })
})

describe('parseArguments, what it reads', () => {
  const name = (text: string): Scalar => ({ kind: 'identifier', text })

  it.each<[string, Argument[], string]>([
    ['', [], ''],
    [' prose', [], ' prose'],
    ['\n(prose)', [], '\n(prose)'],
    ['()', [], ''],
    ['( ) more', [], ' more'],
    [' (a)', [{ value: name('a') }], ''],
    ['(email, scope: tenant)', [{ value: name('email') }, { name: 'scope', value: name('tenant') }], ''],
    ['(bind:id)', [{ name: 'bind', value: name('id') }], ''],
    ['(bind: [])', [{ name: 'bind', value: { kind: 'list', items: [] } }], ''],
    ['(bind:\n  [ a ,\n b ]\n) x', [{ name: 'bind', value: { kind: 'list', items: [name('a'), name('b')] } }], ' x'],
    ['(bits: -1.5)', [{ name: 'bits', value: { kind: 'number', number: -1.5, text: '-1.5' } }], ''],
    [
      '(max: 10_000_000.000_1)',
      [{ name: 'max', value: { kind: 'number', number: 10000000.0001, text: '10000000.0001' } }],
      '',
    ],
    [
      '(max: 9007199254740993)',
      [{ name: 'max', value: { kind: 'number', number: 2 ** 53, text: '9007199254740993' } }],
      '',
    ],
    ['(as: "a)\\"\\u0041")', [{ name: 'as', value: { kind: 'string', text: 'a)"A' } }], ''],
  ])('reads the arguments at the beginning of: %j', (text, args, rest) => {
    const parsed = parseArguments(text)
    expect(parsed.args).toEqual(args)
    expect(text.slice(parsed.end)).toBe(rest)
  })

  it('reads whatever was printed from arguments, however it is spaced', () => {
    const identifier = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]*$/)
    const scalar = fc.oneof(
      fc.record({ kind: fc.constant('identifier' as const), text: identifier }),
      fc.record({ kind: fc.constant('string' as const), text: fc.string({ unit: 'grapheme' }) }),
      fc.integer().map((number) => ({ kind: 'number' as const, number, text: String(number) })),
    )
    const list = fc.record({ kind: fc.constant('list' as const), items: fc.array(scalar) })
    const argument = fc.record({ name: identifier, value: fc.oneof(scalar, list) }, { requiredKeys: ['value'] })
    const space = fc.constantFrom('', ' ', '\n', '\t ')
    fc.assert(
      fc.property(fc.array(argument), space, fc.string(), (args, blank, rest) => {
        const printed = `(${args.map((each) => printArgument(each, blank)).join(`${blank},${blank}`)}${blank})`
        expect(parseArguments(printed + rest)).toEqual({ args, end: printed.length })
      }),
    )
  })
})

function printArgument({ name, value }: Argument, blank: string): string {
  return blank + (name === undefined ? '' : `${name}${blank}:${blank}`) + printValue(value, blank)
}

function printValue(value: Value, blank: string): string {
  switch (value.kind) {
    case 'identifier':
      return value.text
    case 'string':
      return JSON.stringify(value.text).replace(
        /\p{Cc}/gu,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    case 'number':
      return value.text
    case 'list':
      return `[${value.items.map((item) => blank + printValue(item, blank)).join(`${blank},`)}${blank}]`
  }
}
