import { describe, expect, it } from '@jest/globals'
import { compilePlans } from '../../src/plan/compilePlans.js'
import type { RelationPlan } from '../../src/plan/plan.js'
import type { EncryptionSchema, ModelSchema } from '../../src/schema/encryptionSchema.js'

const model = (parts: Partial<ModelSchema>): ModelSchema => ({
  table: 't',
  id: ['id'],
  uniques: {},
  columns: { id: 'id' },
  encrypted: {},
  indexes: {},
  bound: {},
  relations: {},
  ...parts,
})

const end = (model: string, relationName: string, from: string[] = []) => ({
  model,
  relationName,
  list: from.length === 0,
  from,
  to: from.length === 0 ? [] : ['id'],
})

/** A letter has a sender, whom its text is bound to, and a reader. */
const letters: EncryptionSchema = {
  format: 4,
  keysModel: 'EncryptionKey',
  models: {
    Person: model({ relations: { sent: end('Letter', 'sender'), received: end('Letter', 'reader') } }),
    Letter: model({
      columns: { id: 'id', text: 'text', senderId: 'sender_id', readerId: 'reader_id' },
      encrypted: { text: { type: 'String', required: true, context: 'Letter.text', bind: ['senderId'] } },
      bound: { senderId: { type: 'String' } },
      relations: { sender: end('Person', 'sender', ['senderId']), reader: end('Person', 'reader', ['readerId']) },
    }),
    Room: model({}),
  },
}

function relation(name: string, field: string, schema = letters): RelationPlan {
  const member = compilePlans(schema, { toDecimal: Object }).get(name)!.members.get(field)
  if (member?.kind !== 'relation') throw new Error(`${name}.${field} is no relation`)
  return member.relation
}

describe('compilePlans', () => {
  it('tells two relations between the same models apart', () => {
    expect(relation('Person', 'sent')).toMatchObject({
      changesBound: true,
      inherited: [{ column: 'senderId', own: 'id' }],
    })
    expect(relation('Person', 'received')).toMatchObject({ changesBound: false, inherited: [] })
    expect(relation('Letter', 'sender').changesBound).toBe(true)
    expect(relation('Letter', 'reader').changesBound).toBe(false)
  })

  it('takes a relation whose other end the schema ignores for one that may change a bound column', () => {
    const { sender: _, ...relations } = letters.models.Letter!.relations
    const ignored = { ...letters, models: { ...letters.models, Letter: { ...letters.models.Letter!, relations } } }
    expect(relation('Person', 'sent', ignored)).toMatchObject({ changesBound: true, inherited: [] })
  })

  it('freezes what a bound foreign key refers to', () => {
    const plans = compilePlans(letters, { toDecimal: Object })
    expect([...plans.get('Person')!.immutable]).toEqual(['id'])
    expect([...plans.get('Letter')!.immutable]).toEqual(['senderId'])
  })

  it('reaches encrypted fields through relations and nowhere else', () => {
    const plans = compilePlans(letters, { toDecimal: Object })
    expect(['Person', 'Letter', 'Room'].map((name) => plans.get(name)!.reaches)).toEqual([true, true, false])
  })

  it('ends the two sides of a relation of a model with itself at each other', () => {
    const tree: EncryptionSchema = {
      ...letters,
      models: {
        Node: model({
          columns: { id: 'id', text: 'text', parentId: 'parent_id' },
          encrypted: { text: { type: 'String', required: true, context: 'Node.text', bind: ['parentId'] } },
          bound: { parentId: { type: 'String' } },
          relations: { parent: end('Node', 'tree', ['parentId']), children: end('Node', 'tree') },
        }),
      },
    }
    expect(relation('Node', 'children', tree).inherited).toEqual([{ column: 'parentId', own: 'id' }])
    expect(relation('Node', 'parent', tree).inherited).toEqual([])
  })
})
