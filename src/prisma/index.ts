export type { FieldEncryptionOptions } from '../client/options.js'
export type * from '../client/publicTypes.js'
export { assertEncrypted } from './assertEncrypted.js'
export { type EncryptedFieldName, type EncryptionMethods, fieldEncryption } from './extension.js'
