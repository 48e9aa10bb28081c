import { localKms } from 'fieldseal/local-kms'
import { vaultKms } from 'fieldseal/vault'
import { TIMEOUT } from './limits.js'

const { VAULT_ADDR: address, VAULT_TOKEN: token = '' } = process.env

/** All attempts at a key end well before the function does, so that its caller is told what is wrong. */
const limits = { timeout: TIMEOUT * 0.3, attemptTimeout: TIMEOUT * 0.1 }

/** Vault where there is one, else a key in a variable, which does for development. */
export const kms = address
  ? vaultKms({ address, token, keyId: 'fieldseal', ...limits })
  : localKms({ env: 'FIELDSEAL_KEY' })
