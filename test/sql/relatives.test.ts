import { beforeAll, describe, expect, it } from '@jest/globals'
import type { CatalogTable } from '../../src/sql/catalog.js'
import type { DatabaseRelation } from '../../src/sql/databaseRelations.js'
import { loadParser } from '../../src/sql/parser.js'
import { relativesOf, undeclaredColumns } from '../../src/sql/relatives.js'
import { schemaCatalog } from '../../src/sql/schemaCatalog.js'
import { clinicSchema } from './support/clinicSchema.js'
import { plansOf } from './support/encryptedStatements.js'

beforeAll(loadParser)

const catalog = schemaCatalog(clinicSchema, plansOf(clinicSchema))

/** Its oid is its name. */
const relation = (name: string, more: Partial<DatabaseRelation> = {}): DatabaseRelation => ({
  ...{ oid: name, schema: 'public', name, isVisible: true, parents: [], view: undefined },
  columns: ['id', 'email', 'pan', 'emailIndex', 'legacy'],
  ...more,
})
const user = relation('user')
const card = relation('card')
const view = (name: string, definition: string, ...reads: string[]) =>
  relation(name, { columns: ['id', 'mail'], view: { definition, reads } })

const found = (...relations: DatabaseRelation[]) => relativesOf(catalog, relations)
const undeclared = (...relations: DatabaseRelation[]) =>
  undeclaredColumns(found(...relations)).map(({ table, column, of }) => `${table}.${column} = ${of}`)
const kinds = ({ columns }: CatalogTable) => [...columns].map(([name, { kind }]) => `${name} ${kind}`)

describe('tables', () => {
  it('that are alone have no relatives', () => {
    expect(found(user, card)).toEqual([])
  })

  it('that inherit from one that is encrypted are what it is, through any number of others', () => {
    const child = relation('child', { parents: ['user'], schema: 'archive', isVisible: false })
    const grandchild = relation('grandchild', { parents: ['child'], columns: ['email', 'more'] })
    const [first, second] = found(user, child, grandchild)
    expect(first).toMatchObject({ schema: 'archive', name: 'child', isView: false, plan: { name: 'User' } })
    expect(kinds(first!)).toEqual(['id plain', 'email encrypted', 'pan plain', 'emailIndex index', 'legacy plain'])
    expect(kinds(second!)).toEqual(['email encrypted', 'more plain'])
  })

  it('that inherit from two that are encrypted are neither', () => {
    expect(undeclared(user, card, relation('both', { parents: ['user', 'card'] }))).toEqual([
      'public.both.email = User.email',
      'public.both.pan = Card.pan',
      'public.both.emailIndex = User.emailIndex',
    ])
  })

  it('from which one that is encrypted, or a child of it, inherits share its columns', () => {
    const child = relation('child', { parents: ['user', 'beside'] })
    const parents = ['above', 'beside'].map((name) => relation(name, { columns: ['id', 'email'] }))
    const named = { ...user, parents: ['above', 'without'] }
    const without = relation('without', { columns: ['id', 'legacy'] })
    expect(undeclared(named, child, ...parents, without)).toEqual([
      'public.above.email = User.email',
      'public.beside.email = User.email',
    ])
  })

  it('that are declared as plain are refused what they share', () => {
    const plain = catalog.with([
      { ...catalog.find(undefined, 'post')!, name: 'old', schema: undefined, columns: new Map() },
    ])
    const [old] = relativesOf(plain, [user, relation('old', { parents: ['user'] })])
    expect([old!.schema, kinds(old!)]).toEqual([undefined, ['email undeclared', 'emailIndex undeclared']])
  })
})

describe('views', () => {
  it('are read by the tables that they name, also where another schema has one of the same name', () => {
    const elsewhere = relation('user', { oid: 'other', schema: 'old', isVisible: false })
    const here = view('here', 'SELECT "user".id, "user".email AS mail FROM "user"', 'user')
    const there = view('there', 'SELECT "user".id, "user".email AS mail FROM old."user"', 'other')
    expect(undeclared(user, elsewhere, here, there)).toEqual([
      'public.here.mail = User.email',
      'public.there.mail = User.email',
    ])
  })

  it('show columns under other names, whatever the order in which they are told', () => {
    const again = view('again', 'SELECT first.id, first.mail FROM first', 'first')
    const first = view('first', 'SELECT "user".id, "user".email AS mail FROM "user"', 'user')
    expect(undeclared(user, again, first)).toEqual(['public.first.mail = User.email', 'public.again.mail = User.email'])
  })

  it('that nobody can understand are refused whole', () => {
    const sources = [
      'SELECT id, lower(email) AS mail FROM "user"',
      `SELECT id, mail FROM "user", json_to_record(to_json("user")) AS x(mail text)`,
      'SELECT id, email AS mail FROM "user" UNION SELECT id, email FROM "user"',
      'WITH RECURSIVE w AS (SELECT id, email FROM "user") SELECT id, email AS mail FROM w',
      `SELECT id, plain AS mail FROM "user" WHERE email = 'a'::text`,
      'this is no SQL FROM "user"',
    ]
    for (const source of sources) {
      const columns = undeclared(user, view('strange', source, 'user'))
      expect(columns).toEqual(['public.strange.id = User.email', 'public.strange.mail = User.email'])
    }
  })

  it('that show nothing encrypted are left alone', () => {
    const counted = view(
      'counted',
      'SELECT id, count(email) AS mail FROM "user" WHERE email IS NOT NULL GROUP BY id',
      'user',
    )
    const legacy = view(
      'legacies',
      'SELECT u.id, u.legacy AS mail FROM "user" u JOIN card c ON u.id = c.id',
      'user',
      'card',
    )
    expect(found(user, card, counted, legacy)).toEqual([])
  })

  it('that read each other in a circle come to an end', () => {
    const one = view('one', 'SELECT id, mail FROM two', 'two', 'user')
    const two = view('two', 'SELECT one.id, "user".email AS mail FROM one, "user"', 'one', 'user')
    expect(undeclared(user, one, two)).toContain('public.two.mail = User.email')
  })
})
