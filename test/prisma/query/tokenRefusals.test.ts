import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Delegate, Fixture } from '../fixtureClient.js'
import { openTokenTwins, type Twins } from '../tokenTwins.js'

let twins: Twins
let fixture: Fixture
let person: Delegate
beforeAll(async () => {
  twins = await openTokenTwins()
  await twins.reset()
  fixture = twins.encrypted
  person = fixture.prisma.person!
}, 120_000)
afterAll(() => twins?.close())

type Where = { readonly [key: string]: unknown }

async function refusal(work: () => Promise<unknown>): Promise<string> {
  fixture.takeSql()
  const error = await work().then(
    () => undefined,
    (reason: unknown) => reason as { code?: string; message: string },
  )
  expect(fixture.takeSql()).toEqual([])
  return `${error?.code}: ${error?.message}`
}

async function found(where: Where): Promise<unknown[]> {
  const rows = await person.findMany({ where, orderBy: { id: 'asc' }, select: { id: true } })
  return rows.map(({ id }) => id)
}

const refused: { readonly [name: string]: readonly [Where, RegExp] } = {
  'a text shorter than the shortest prefix': [
    { name: { startsWith: 'A' } },
    /^QUERY_UNSUPPORTED: Person\.name .*"startsWith" needs a text of at least 2 characters/,
  ],
  'an empty text': [{ name: { startsWith: '' } }, /"startsWith" needs a text of at least 2 characters/],
  'one letter of two code units': [{ name: { startsWith: '😀' } }, /at least 2 characters/],
  'a text that is too short once it is normalised': [
    { draft: { startsWith: 'a' } },
    /Person\.draft .*at least 2 characters/,
  ],
  'a part shorter than what the index has': [{ name: { contains: 'Ad' } }, /"contains" needs a text of at least 3/],
  'a part where the index has none': [{ nick: { contains: 'Ada' } }, /^QUERY_UNSUPPORTED: Person\.nick .*"contains"/],
  'an ending where the index has none': [
    { title: { endsWith: 'r' } },
    /^QUERY_UNSUPPORTED: Person\.title .*"endsWith"/,
  ],
  'a comparison where there is no range index': [{ name: { gt: 'A' } }, /^QUERY_UNSUPPORTED: Person\.name .*"gt"/],
  'words where the index has none': [{ nick: { words: 'ada' } }, /^QUERY_UNSUPPORTED: Person\.nick .*"words"/],
  'no words': [{ name: { words: ' * , ' } }, /"words" without a word in it/],
  'a star within a word': [{ name: { words: 'lo*ve' } }, /a "\*" stands at the end of a word/],
  'a star before what is no blank': [{ name: { words: '(love*)' } }, /a "\*" stands at the end of a word/],
  'a mode that there is not': [
    { name: { startsWith: 'Ad', mode: 'any' } },
    /^QUERY_UNSUPPORTED: Person\.name .*"mode"/,
  ],
  'a mode beside a bound': [{ age: { gt: 1, mode: 'insensitive' } }, /^QUERY_UNSUPPORTED: Person\.age .*"mode"/],
  'a beginning of a word that is too short': [{ name: { words: 'l*' } }, /needs a beginning of a word of at least 2/],
  'letters of any case where the index tells them apart': [
    { name: { startsWith: 'ad', mode: 'insensitive' } },
    /^QUERY_UNSUPPORTED: Person\.name .*"startsWith"/,
  ],
  'letters of any case around a not, where the index tells them apart': [
    { name: { mode: 'insensitive', not: { startsWith: 'ad' } } },
    /^QUERY_UNSUPPORTED: Person\.name .*"mode"/,
  ],
  'letters of any case inside a not, which Prisma does not take either': [
    { nick: { not: { startsWith: 'ad', mode: 'insensitive' } } },
    /^QUERY_UNSUPPORTED: Person\.nick/,
  ],
  'search, which is not for indexes': [{ name: { search: 'Ada' } }, /^QUERY_UNSUPPORTED: Person\.name .*"search"/],
  'a lone surrogate': [{ name: { startsWith: 'A\ud83d' } }, /^VALUE_INVALID: .*lone surrogate/],
  'a number that is none': [{ age: { gt: '40' } }, /^VALUE_INVALID: Person\.age cannot be searched for/],
  'null as a bound': [{ age: { gt: null } }, /^VALUE_INVALID: Person\.age/],
  'a number beyond its type': [{ age: { lt: 2 ** 40 } }, /^VALUE_INVALID: Person\.age/],
  'not of what finds others too': [{ name: { not: { startsWith: 'Ada Lovelace' } } }, /not possible with "not" around/],
  sorting: [{}, /^QUERY_UNSUPPORTED: Person\.age .*"orderBy".*sort the rows after reading/],
}

describe('a condition that token indexes do not answer exactly', () => {
  it.each(Object.entries(refused))('is refused before any SQL, with the reason: %s', async (name, [where, message]) => {
    const orderBy = name === 'sorting' ? { age: 'asc' } : undefined
    expect(await refusal(() => person.findMany({ where, ...(orderBy && { orderBy }) }))).toMatch(message)
  })

  it('refuses a field reference as a bound', async () => {
    const { rank } = fixture.base.person!.fields
    expect(await refusal(() => person.findMany({ where: { age: { gt: rank } } }))).toMatch(/a field reference/)
  })
})

describe('a text index with normalisers', () => {
  it.each([
    ['another case', { nick: { startsWith: 'AD' } }, [1]],
    ['letters of any case, not', { nick: { mode: 'insensitive', not: { startsWith: 'ΟΔ' } } }, [1, 5, 6, 7, 8, 9]],
    ['letters of any case, as asked', { nick: { startsWith: 'aDa', mode: 'insensitive' } }, [1]],
    ['a sigma that ends a word in the text that is looked for', { nick: { startsWith: 'ΟΔΟΣ' } }, [2, 4]],
    ['a sigma that ends a word in the stored text', { nick: { endsWith: 'δος' } }, [2]],
    ['a letter that becomes two', { nick: { startsWith: 'i\u0307' } }, [7]],
    ['characters that LIKE would take for a pattern', { nick: { endsWith: '_B%' } }, [9]],
    ['the same, of which some rows are plaintext', { draft: { startsWith: 'a_' } }, []],
    ['the same, without normalisers', { title: { startsWith: '%' } }, [9]],
  ])('finds by the normalised text: %s', async (_, where, ids) => {
    expect(await found(where)).toEqual(ids)
  })
})

describe('several text indexes over one field', () => {
  it('answer in one sense, however long the text is', async () => {
    for (const startsWith of ['Do', 'Doe', 'Doe J', 'Doe Jane', 'Doe Jane Roe', 'Doe Jane Roe Poe']) {
      expect(await found({ alias: { startsWith } })).toEqual([1])
      expect(await found({ alias: { startsWith, mode: 'insensitive' } })).toEqual([1, 2])
    }
    await expect(person.count({ where: { alias: { startsWith: 'Doe J' } } })).rejects.toMatchObject({
      code: 'QUERY_UNSUPPORTED',
    })
  })
})

describe('several range indexes over one field', () => {
  it('are asked by the one that tells exactly', async () => {
    expect(await person.count({ where: { score: { gt: 13 } } })).toBe(1)
    expect(await person.count({ where: { score: { not: { gt: 13 } } } })).toBe(1)
  })
})

describe('words', () => {
  const words = (text: string) => fixture.prisma.$encryption.words('Person.name', text)

  it.each([
    ['one', 'Ada', [1, 2]],
    ['several, in any order', 'Lovelace Ada', [1]],
    ['the beginning of a word', 'Ada Lov*', [1]],
    ['a longer beginning than the index has, filtered after decryption', 'Ada Lovel*', [1]],
    ['beginnings that other words share', 'Bob Ac*', [4]],
    ['with what parts words around them', ' (Bob) ', [4]],
    ['a mark that belongs to a letter', 'Zoe\u0308', [7]],
    ['a letter without the mark of the stored one', 'Zoe', []],
    ['one twice', 'Ada Ada', [1, 2]],
    ['several beginnings', 'Lov* Ad*', [1]],
  ])('finds rows that have all of them: %s', async (_, text, ids) => {
    expect(await found(words(text))).toEqual(ids)
  })

  it('are normalised as the stored text is, of which a normaliser may take the blanks out', async () => {
    expect(await found(fixture.prisma.$encryption.words('Person.code', '12 34'))).toEqual([1])
    expect(await found(fixture.prisma.$encryption.words('Person.code', '1 2*'))).toEqual([1])
  })

  it('finds none by 40,000 words of which one is missing', async () => {
    const many = Array.from({ length: 40_000 }, (_, i) => `w${i}`).join(' ')
    expect(await found(words(many))).toEqual([])
  })

  it('stands beside other conditions and under a negation', async () => {
    expect(await found({ NOT: words('Ada') })).toEqual([4, 5, 6, 7, 8, 9])
    expect(await found({ age: { lt: 30 }, ...words('Ada') })).toEqual([2])
  })

  it('says what is no field with words', () => {
    const { words: wordsOf } = fixture.prisma.$encryption
    expect(() => wordsOf('Person.nick', 'a')).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
    expect(() => wordsOf('Person.nothing', 'a')).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })
})

describe('a client that may not read a field', () => {
  it('neither searches by its token indexes nor gets them', async () => {
    const limited = fixture.prisma.$forTenant('acme', { allow: ['Person.title'] })
    const denied = { code: 'ACCESS_DENIED' }
    await expect(limited.person!.findMany({ where: { age: { gt: 1 } } })).rejects.toMatchObject(denied)
    await expect(limited.person!.findMany({ where: { name: { startsWith: 'Ad' } } })).rejects.toMatchObject(denied)
    await expect(limited.person!.count({ where: { ageCells: { isEmpty: false } } })).rejects.toMatchObject(denied)
    await expect(limited.person!.groupBy({ by: ['ageCells'], _count: true } as object)).rejects.toMatchObject(denied)
    const [row] = await limited.person!.findMany({ select: { id: true, ageCells: true, titleParts: true }, take: 1 })
    expect(row).toMatchObject({ ageCells: null })
    expect(row!.titleParts).toHaveLength(2)
  })
})

it('is refused for a client that reads across tenants', async () => {
  const all = fixture.prisma.$acrossTenants()
  expect(await refusal(() => all.person!.findMany({ where: { age: { gt: 1 } } }))).toMatch(/^TENANT_MISSING/)
})
