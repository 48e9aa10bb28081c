import 'reflect-metadata'
import { randomUUID } from 'node:crypto'
import { FieldsealError, withTenant } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import {
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  fieldEncryption,
  forTenant,
  Tenant,
} from 'fieldseal/typeorm'
import { Column, DataSource, Entity, ManyToOne, OneToMany, PrimaryColumn, type Relation } from 'typeorm'

@Entity()
class Customer {
  @PrimaryColumn('uuid') id: string = randomUUID()
  @Tenant() @Column('text') tenantId!: string
  @Column('text') name!: string
  @Encrypted() email!: string
  @BlindIndex<Customer>('email', { normalize: ['trim', 'lowercase'], unique: true }) emailIndex?: string
  @Encrypted({ bind: 'id', nullable: true, mask: 'last4' }) phone!: string | null
  @Encrypted({ type: 'Json', nullable: true }) notes!: { vip: boolean } | null
  @OneToMany(
    () => Order,
    (order) => order.customer,
    { cascade: true },
  )
  orders!: Order[]
}

@Entity()
class Order {
  @PrimaryColumn('uuid') id: string = randomUUID()
  @Encrypted({ type: 'Decimal' }) price!: string
  @ManyToOne(
    () => Customer,
    (customer) => customer.orders,
  )
  customer!: Relation<Customer>
}

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

const source = { type: 'postgres', url: process.env.DATABASE_URL ?? '' } as const

async function main(): Promise<void> {
  const dataSource = fieldEncryption(
    new DataSource({ ...source, entities: [Customer, Order, EncryptionKey], synchronize: true }),
    { kms: localKms({ env: 'KEK' }) },
  )
  await dataSource.initialize()
  const acme = forTenant(dataSource, 'acme').getRepository(Customer)
  const data = { tenantId: 'acme', name: 'Ada', email: 'Ada@example.com', phone: '+49 30 1', notes: { vip: true } }
  const { id } = await acme.save(acme.create({ ...data, orders: [{ price: '12.5' }] }))

  const where = { email: 'ada@example.com' }
  const read = await withTenant('acme', () =>
    dataSource.getRepository(Customer).findOneOrFail({ where, relations: { orders: true } }),
  )
  const refused = await forTenant(dataSource, 'evil')
    .getRepository(Customer)
    .find()
    .catch((error: unknown) => (FieldsealError.is(error) ? error.code : error))
  const { changed } = await encryptionOf(dataSource).rotate({ tenants: ['acme'] })
  await dataSource.destroy()

  const plain = await new DataSource(source).initialize()
  const [stored] = await plain.query('SELECT * FROM customer WHERE id = $1', [id])
  await plain.destroy()
  console.log(JSON.stringify({ read, stored, refused, changed }))
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
