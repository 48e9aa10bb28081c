import { randomUUID } from 'node:crypto'
import { Encrypted, EncryptionKeyColumns, EncryptionKeys, Tenant } from 'fieldseal/typeorm'
import { Column, Entity, PrimaryColumn } from 'typeorm'

@Entity()
export class Patient {
  @PrimaryColumn('uuid')
  id: string = randomUUID()

  @Tenant()
  @Column('text')
  clinic!: string

  @Encrypted({ bind: 'id' })
  email!: string

  @Column('timestamptz', { nullable: true })
  remindedAt!: Date | null
}

/** The wrapped keys of all clinics. */
@EncryptionKeys()
export class EncryptionKey extends EncryptionKeyColumns {}
