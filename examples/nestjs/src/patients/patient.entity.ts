import { randomUUID } from 'node:crypto'
import { BlindIndex, Encrypted, Tenant } from 'fieldseal/typeorm'
import { Column, Entity, PrimaryColumn } from 'typeorm'

@Entity()
export class Patient {
  @PrimaryColumn('uuid')
  id: string = randomUUID()

  @Tenant()
  @Column('text')
  clinic!: string

  @Encrypted()
  name!: string

  @Encrypted({ mask: 'email' })
  email!: string

  @BlindIndex<Patient>('email', { normalize: ['trim', 'lowercase'], unique: true })
  emailIndex?: string

  @Encrypted({ bind: 'id', nullable: true })
  phone!: string | null

  @Encrypted({ type: 'Json', nullable: true })
  allergies!: string[] | null
}
