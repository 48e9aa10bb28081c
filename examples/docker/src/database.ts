import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { appRoleLogin, vaultKms } from 'fieldseal/vault'
import { encryptionSchema } from '../generated/encryption/index.js'
import { PrismaClient } from '../generated/prisma/client.js'

const { DATABASE_URL, VAULT_ADDR = '', VAULT_ROLE_ID = '', VAULT_SECRET_ID = '' } = process.env

const login = appRoleLogin({ roleId: VAULT_ROLE_ID, secretId: VAULT_SECRET_ID })
const kms = vaultKms({ address: VAULT_ADDR, login, keyId: 'fieldseal' })

export const database = new PrismaClient({
  adapter: new PrismaPg({ connectionString: DATABASE_URL }),
}).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
