import { BlindIndex, Encrypted, EncryptionKeyColumns, EncryptionKeys } from 'fieldseal/typeorm'
import { Entity, PrimaryGeneratedColumn } from 'typeorm'

/** The smallest entity that is encrypted and searched. */
@Entity()
export class Account {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare email: string

  @BlindIndex<Account>('email')
  declare emailIndex?: string
}

@EncryptionKeys()
export class Keys extends EncryptionKeyColumns {}
