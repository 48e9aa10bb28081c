import { randomBytes } from 'node:crypto'
import { configureKeys, encryptOnWrite } from 'prisma-field-encryption/dist/encryption.js'

/** A key as prisma-field-encryption takes it. */
export function cloakKey(): string {
  return `k1.aesgcm256.${randomBytes(32).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`
}

/** What prisma-field-encryption itself stores of a text. */
export function storedByPrismaFieldEncryption(text: string, encryptionKey: string): string {
  const models = {
    User: { cursor: 'id', fields: { name: { encrypt: true, strictDecryption: true } }, connections: {} },
  }
  const params = {
    model: 'User',
    action: 'create',
    args: { data: { name: text } },
    dataPath: [],
    runInTransaction: false,
  }
  const keys = configureKeys({ encryptionKey, decryptionKeys: [] })
  return encryptOnWrite(params as never, keys, models as never, 'User.create').args.data.name
}

/** The models of a client, with the marks of prisma-field-encryption, which Prisma 7 does not tell it. */
export function markedModels(models: { readonly [model: string]: { readonly [field: string]: string | undefined } }) {
  return {
    datamodel: {
      models: Object.entries(models).map(([name, fields]) => ({
        name,
        fields: Object.entries(fields).map(([field, documentation]) => {
          const type = field === 'id' ? 'Int' : 'String'
          return {
            name: field,
            type,
            kind: 'scalar',
            isList: false,
            isUnique: false,
            isId: field === 'id',
            documentation,
          }
        }),
      })),
    },
  } as never
}
