import { EncryptionKeyColumns, EncryptionKeys } from 'fieldseal/typeorm'

/** The wrapped keys of all clinics. */
@EncryptionKeys()
export class EncryptionKey extends EncryptionKeyColumns {}
