const { randomUUID } = require('node:crypto')
const { FieldsealError, withTenant } = require('fieldseal')
const { localKms } = require('fieldseal/local-kms')
const {
  blindIndex,
  encrypted,
  encryptionKeys,
  encryptionOf,
  fieldEncryption,
  forTenant,
  tenant,
} = require('fieldseal/typeorm')
const { DataSource, EntitySchema } = require('typeorm')

const Customer = new EntitySchema({
  name: 'Customer',
  columns: {
    id: { type: 'uuid', primary: true },
    tenantId: tenant({ type: 'text' }),
    name: { type: 'text' },
    email: encrypted(),
    emailIndex: blindIndex('email', { normalize: ['trim', 'lowercase'], unique: true }),
    phone: encrypted({ bind: 'id', nullable: true, mask: 'last4' }),
    notes: encrypted({ type: 'Json', nullable: true }),
  },
  relations: { orders: { type: 'one-to-many', target: 'Order', inverseSide: 'customer', cascade: true } },
})
const Order = new EntitySchema({
  name: 'Order',
  columns: { id: { type: 'uuid', primary: true }, price: encrypted({ type: 'Decimal' }) },
  relations: { customer: { type: 'many-to-one', target: 'Customer', inverseSide: 'orders' } },
})

const source = { type: 'postgres', url: process.env.DATABASE_URL }

async function main() {
  const dataSource = fieldEncryption(
    new DataSource({ ...source, entities: [Customer, Order, encryptionKeys()], synchronize: true }),
    { kms: localKms({ env: 'KEK' }) },
  )
  await dataSource.initialize()
  const acme = forTenant(dataSource, 'acme').getRepository(Customer)
  const data = { tenantId: 'acme', name: 'Ada', email: 'Ada@example.com', phone: '+49 30 1', notes: { vip: true } }
  const id = randomUUID()
  await acme.save({ id, ...data, orders: [{ id: randomUUID(), price: '12.5' }] })

  const where = { email: 'ada@example.com' }
  const read = await withTenant('acme', () =>
    dataSource.getRepository(Customer).findOneOrFail({ where, relations: { orders: true } }),
  )
  const refused = await forTenant(dataSource, 'evil')
    .getRepository(Customer)
    .find()
    .catch((error) => (FieldsealError.is(error) ? error.code : error))
  const { changed } = await encryptionOf(dataSource).rotate({ tenants: ['acme'] })
  await dataSource.destroy()

  const plain = await new DataSource(source).initialize()
  const [stored] = await plain.query('SELECT * FROM customer WHERE id = $1', [id])
  await plain.destroy()
  console.log(JSON.stringify({ read, stored, refused, changed }))
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
