import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { fieldEncryption } from 'fieldseal/prisma'
import { type Fixture, openFixture } from '../prisma/fixtureClient.js'
import { refusal } from '../support/refusal.js'

let answer: (text: string) => unknown = (text) => text
let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('typed.prisma', { normalizers: { noVowels: (text) => answer(text) as string } })
})
afterAll(() => fixture?.close())

describe('the option normalizers', () => {
  const noVowels = (text: string) => text
  it.each([
    [undefined, 'lacks "noVowels", which Person.nickIs names; add it: normalizers: { noVowels: (text) => text }'],
    [{}, 'lacks "noVowels", which Person.nickIs names'],
    [null, 'must be an object'],
    [{ noVowels: 'x' }, 'has "noVowels", which is not a function'],
    [{ noVowels, trim: noVowels }, 'has "trim", which is built in; give yours another name'],
  ])('is refused at construction when it is %p', async (normalizers, message) => {
    const kms = { generate: noVowels, unwrap: noVowels }
    const options = { schema: fixture.schema, kms, ...(normalizers === undefined ? {} : { normalizers }) }
    const error = await refusal(() => fieldEncryption(options as never))
    expect(error.code).toBe('OPTIONS_INVALID')
    expect(error.message).toContain(`"normalizers" ${message}`)
  })

  it.each([
    [
      'threw an error',
      () => {
        throw new Error('secret')
      },
    ],
    ['answered with something other than a string', () => undefined],
  ])('refuses the write when a function %s, naming it and never the value', async (what, fails) => {
    answer = fails
    fixture.takeSql()
    const error = await refusal(() => fixture.prisma.person!.create({ data: { nick: 'secret' } }))
    answer = (text) => text
    expect(error.code).toBe('VALUE_INVALID')
    expect(error.message).toContain(`Person.nickIs cannot be made: its normalizer "noVowels" ${what}`)
    expect(`${error.message} ${error.cause}`).not.toContain('secret')
    expect(fixture.takeSql().filter((sql) => sql.startsWith('INSERT') && sql.includes('Person'))).toEqual([])
  })
})
