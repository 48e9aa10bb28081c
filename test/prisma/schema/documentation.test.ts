import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readDocumentation } from '../../../src/prisma/schema/documentation.js'
import { annotationNames } from '../../../src/schema/annotation.js'

const names = (text: string) => readDocumentation(text).annotations.map(({ name }) => name)

describe('readDocumentation, of prose with an annotation in it', () => {
  it.each([
    'we should use @encrypted here',
    'not @encrypted.',
    '- @encrypted',
    '(@encrypted)',
    '`@encrypted`',
    '// @encrypted',
    '@HideField() @encrypted',
    '@zod.describe("the @encrypted one")',
    '这是@encrypted',
  ])('refuses prose that mentions an annotation: %s', (text) => {
    expect(readDocumentation(text)).toEqual({
      annotations: [],
      damaged: [],
      problems: [
        'mentions `@encrypted` inside a line, where it does nothing; to switch it on, begin a `///` line with ' +
          '`@encrypted`; in prose, leave out the @',
      ],
    })
  })

  it.each([
    ['@encrypted fields are…', 'fields are…'],
    ['@encrypted @zod.string()', '@zod.string()'],
    ['@encrypted?mode=strict', '?mode=strict'],
    ['@encrypted: yes', ': yes'],
    ['@encrypted(bind: id) and more', 'and more'],
    ['@encrypted()()', '()'],
    ['@encrypted.', '.'],
    ['@encrypted字段', '字段'],
    [`@encrypted ${'long '.repeat(20)}`, `${'long '.repeat(8)}…`],
  ])('refuses an annotation with other text behind it: %s', (text, trailer) => {
    expect(readDocumentation(text).problems).toEqual([
      `\`@encrypted\` is followed by \`${trailer}\`; an annotation has its line for itself: put other text on a line ` +
        'of its own, or, if this is prose, leave out the @',
    ])
  })

  it('refuses an annotation that has full-width parentheses for arguments', () => {
    expect(readDocumentation('@encrypted（bind: id）').problems).toEqual([
      '`@encrypted` is followed by `（bind: id）`; an annotation has its line for itself: arguments stand in ASCII parentheses',
    ])
  })
})

describe('readDocumentation, of a name that is nearly an annotation', () => {
  it.each([
    ['@encrypt', '@encrypt', '@encrypted'],
    ['@Encrypted', '@Encrypted', '@encrypted'],
    ['@encryptd', '@encryptd', '@encrypted'],
    ['@ENCRYPTED', '@ENCRYPTED', '@encrypted'],
    ['@@encrypted', '@@encrypted', '@encrypted'],
    ['＠encrypted', '＠encrypted', '@encrypted'],
    ['@encrypted.now', '@encrypted.', '@encrypted'],
    ['@encryption', '@encryption', '@encrypted'],
    ['@encrypted-at-rest', '@encrypted-at-rest', '@encrypted'],
    ['@encrypted_', '@encrypted_', '@encrypted'],
    ['@encryptéd', '@encrypt', '@encrypted'],
    ['@blind_index(email)', '@blind_index', '@blindIndex'],
    ['@blindindex(email)', '@blindindex', '@blindIndex'],
    ['@encryption:hash(email)', '@encryption:hash', '@blindIndex'],
    ['@textindex(name)', '@textindex', '@textIndex'],
    ['@range_index(age)', '@range_index', '@rangeIndex'],
    ['@rangeIndexes(age)', '@rangeIndexes', '@rangeIndex'],
    ['@tenants', '@tenants', '@tenant'],
    ['@tenantId', '@tenantId', '@tenant'],
    ['@EncryptionKeys', '@EncryptionKeys', '@encryptionKeys'],
    ['@@encryptionKeys', '@@encryptionKeys', '@encryptionKeys'],
    ['@encryptionKey', '@encryptionKey', '@encryptionKeys'],
    ['please @encrypt this', '@encrypt', '@encrypted'],
  ])('refuses the name of no annotation, and says which was meant: %s', (text, written, meant) => {
    expect(readDocumentation(text)).toEqual({
      annotations: [],
      damaged: [],
      problems: [
        `unknown annotation \`${written}\`; did you mean \`${meant}\`? It begins its \`///\` line; in prose, leave out the @`,
      ],
    })
  })
})

describe('readDocumentation, of arguments that it cannot read', () => {
  it('refuses them, and names the annotation that was meant', () => {
    expect(readDocumentation('@encrypted(bind id)\nprose')).toEqual({
      annotations: [],
      damaged: ['encrypted'],
      problems: ['cannot read `@encrypted(…)`: `id` stands where `,` or `)` should be'],
    })
  })

  it('refuses them, and goes on with the next line', () => {
    expect(readDocumentation('@tenant(\n@encrypted')).toMatchObject({
      annotations: [{ name: 'encrypted' }],
      damaged: ['tenant'],
    })
  })
})

describe('readDocumentation, of text without an annotation', () => {
  it.each([
    undefined,
    '',
    'An ordinary line.',
    'ask a@b.c, ada@tenant.example or root@encrypted',
    '@see User',
    '@deprecated use email',
    '{@link User}',
    '@zod.string().email()',
    '@HideField()',
    '@TypeGraphQL.omit(output: true)',
    '@kysely.type("string")',
    '@@Gql.omit()',
    'npm i @scope/package',
    '@ 5 pm',
    'encrypted at rest; the tenant is in tenantId',
    '@',
  ])('has nothing to say of: %j', (text) => {
    expect(readDocumentation(text)).toEqual({ annotations: [], damaged: [], problems: [] })
  })
})

describe('readDocumentation, of annotations', () => {
  it.each([
    ['@encrypted', ['encrypted']],
    ['  \t@tenant  ', ['tenant']],
    ['Prose first.\n\n@encrypted\nProse after.', ['encrypted']],
    ['@encrypted\r\n@zod.string()\r\n', ['encrypted']],
    ['@blindIndex(\n  email,\n  normalize: [trim,\n lowercase]\n)\nProse.', ['blindIndex']],
    ['@encrypted (bind: id)', ['encrypted']],
    ['@encrypted\n@tenant', ['encrypted', 'tenant']],
  ])('finds the annotations in: %j', (text, found) => {
    expect(readDocumentation(text).problems).toEqual([])
    expect(names(text)).toEqual(found)
  })
})

describe('readDocumentation of any text', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '@',
      '＠',
      '\n',
      ' ',
      '(',
      ')',
      '.',
      ...annotationNames,
      ...annotationNames.map((name) => `@${name}`),
    ),
  )
  const text = fc.array(piece).map((pieces) => pieces.join(''))

  it('never crashes, and finds an annotation only where one begins a line', () => {
    fc.assert(
      fc.property(text, (documentation) => {
        const starts = documentation
          .split(/\r\n?|\n/)
          .filter((line) => /^\s*@(encrypted|blindIndex|textIndex|rangeIndex|tenant|encryptionKeys)/.test(line))
        expect(readDocumentation(documentation).annotations.length).toBeLessThanOrEqual(starts.length)
      }),
    )
  })

  it('never ignores a written-out annotation: it is found or a problem', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...annotationNames), text, (before, name, after) => {
        fc.pre(!/[A-Za-z0-9_]$/.test(before) && !/^[A-Za-z0-9_-]/.test(after) && !before.includes('"'))
        const { annotations, problems } = readDocumentation(`${before}@${name}${after}`)
        expect(annotations.length + problems.length).toBeGreaterThan(0)
      }),
    )
  })
})
