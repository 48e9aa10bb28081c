import type {
  EncryptedFieldSchema,
  EncryptionSchema,
  RangeIndexSchema,
  TextIndexSchema,
} from '../../../src/schema/encryptionSchema.js'

const encrypted = (field: string, more: Partial<EncryptedFieldSchema> = {}): EncryptedFieldSchema => ({
  type: 'String',
  required: false,
  context: `Employee.${field}`,
  bind: [],
  ...more,
})

const range = (source: string, more: Partial<RangeIndexSchema> = {}): RangeIndexSchema => ({
  kind: 'range',
  source,
  scope: 'tenant',
  unit: '1',
  min: '0',
  max: '1000',
  step: '1',
  sparsity: 2,
  ...more,
})

const text = (source: string, more: Partial<TextIndexSchema> = {}): TextIndexSchema => ({
  kind: 'text',
  source,
  scope: 'tenant',
  normalize: [],
  ...more,
})

/** A table "employee" with columns that token indexes are made of. */
export const payrollSchema: EncryptionSchema = {
  format: 4,
  keysModel: '',
  models: {
    Employee: {
      table: 'employee',
      id: ['id'],
      uniques: {},
      columns: Object.fromEntries(
        ['id', 'n', 'salary', 'salaryT', 'born', 'bornT', 'name', 'nameT', 'nameG', 'old', 'oldT', 'bare'].map(
          (name) => [name, name],
        ),
      ),
      encrypted: {
        salary: encrypted('salary', { value: 'Int' }),
        born: encrypted('born', { value: 'DateTime' }),
        name: encrypted('name'),
        old: encrypted('old', { value: 'Int', state: 'migrating' }),
        bare: encrypted('bare', { value: 'Int' }),
      },
      indexes: {},
      tokenIndexes: {
        salaryT: range('salary'),
        bornT: range('born', { unit: 'ms', max: '86400000000', step: '86400000' }),
        nameT: text('name', { prefix: [2, 4], words: true }),
        nameG: text('name', { grams: 3, normalize: ['lowercase'] }),
        oldT: range('old'),
      },
      bound: {},
      relations: {},
    },
  },
}
