/** The model that stores the wrapped keys, to paste into a Prisma schema. */
export const keysModelSource = `/// @encryptionKeys
model EncryptionKey {
  id          String    @id @db.Uuid
  tenant      String
  purpose     String
  version     Int
  state       String
  wrapped     String?
  kms         String
  kekId       String
  messages    BigInt    @default(0)
  createdAt   DateTime  @default(now())
  retiredAt   DateTime?
  destroyedAt DateTime?

  @@unique([tenant, purpose, version])
  @@map("encryption_keys")
}`
