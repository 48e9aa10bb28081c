import 'reflect-metadata'
import { fieldEncryption } from 'fieldseal/typeorm'
import { DataSource } from 'typeorm'
import { kms } from './kms.js'
import { EncryptionKey, Patient } from './patient.entity.js'

export const dataSource = fieldEncryption(
  new DataSource({
    type: 'postgres',
    url: process.env.DATABASE_URL ?? 'postgresql://localhost/clinic',
    entities: [Patient, EncryptionKey],
    synchronize: process.env.NODE_ENV !== 'production',
  }),
  { kms },
)
