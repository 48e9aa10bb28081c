import type { BlindIndexSchema, EncryptedFieldSchema, EncryptionSchema } from '../../../src/schema/encryptionSchema.js'

const encrypted = (context: string, more: Partial<EncryptedFieldSchema> = {}): EncryptedFieldSchema => ({
  type: 'String',
  required: false,
  context,
  bind: [],
  ...more,
})

const index = (sources: readonly string[], more: Partial<BlindIndexSchema> = {}): BlindIndexSchema => ({
  type: 'String',
  sources,
  normalize: [],
  scope: 'tenant',
  bits: 128,
  ...more,
})

const columns = (...names: string[]) => Object.fromEntries(names.map((name) => [name, name]))

/** Tables "user", card and post, with every kind of encrypted column that statements are analysed for. */
export const clinicSchema: EncryptionSchema = {
  format: 4,
  keysModel: '',
  models: {
    User: {
      table: 'user',
      id: ['id'],
      uniques: {},
      columns: columns(
        ...['id', 'tenantId', 'email', 'emailIndex', 'notes', 'n', 'plain', 'first', 'last', 'nameIndex'],
        ...['old', 'oldIndex', 'city', 'cityIndex'],
      ),
      tenant: 'tenantId',
      encrypted: {
        email: encrypted('User.email'),
        notes: encrypted('User.notes', { value: 'Json' }),
        first: encrypted('User.first'),
        last: encrypted('User.last'),
        old: encrypted('User.old', { state: 'migrating' }),
        city: encrypted('User.city'),
      },
      indexes: {
        emailIndex: index(['email'], { unique: true }),
        nameIndex: index(['first', 'last']),
        oldIndex: index(['old']),
        cityIndex: index(['city'], { bits: 16 }),
      },
      bound: {},
      relations: {},
    },
    Card: {
      table: 'card',
      id: ['id'],
      uniques: {},
      columns: columns('id', 'pan', 'panIndex', 'label'),
      encrypted: { pan: encrypted('Card.pan', { bind: ['id'] }) },
      indexes: { panIndex: index(['pan']) },
      bound: { id: { type: 'Uuid' } },
      relations: {},
    },
    Post: {
      table: 'post',
      id: ['id'],
      uniques: {},
      columns: columns('id', 'userId', 'body'),
      encrypted: { body: encrypted('Post.body') },
      indexes: {},
      bound: {},
      relations: {},
    },
  },
}
