import { localKms } from 'fieldseal/local-kms'
import { vaultKms } from 'fieldseal/vault'

const { VAULT_ADDR: address, VAULT_TOKEN: token = '' } = process.env

/** Vault where there is one, else a key in a variable, which does for development. */
export const kms = address ? vaultKms({ address, token, keyId: 'fieldseal' }) : localKms({ env: 'FIELDSEAL_KEY' })
