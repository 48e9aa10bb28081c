import { readFile } from 'node:fs/promises'
import type { VaultLoginFunction } from './loginTokens.js'
import { noToken } from './vaultTokens.js'

/** Options of `appRoleLogin`. */
export interface AppRoleOptions {
  readonly roleId: string
  /** A function is asked at each login: for secret ids that change. Left out for roles with `bind_secret_id=false`. */
  readonly secretId?: string | (() => string | Promise<string>) | undefined
  /** Where the auth method is mounted; `approle` unless given. */
  readonly mount?: string | undefined
}

/**
 * Logs in with AppRole, for the option `login` of `vaultKms`. Its secret id must be usable more than once
 * (`secret_id_num_uses=0`), or be a function.
 *
 * @example
 * ```ts
 * const { VAULT_ROLE_ID: roleId = '', VAULT_SECRET_ID: secretId = '' } = process.env
 * const login = appRoleLogin({ roleId, secretId })
 * ```
 */
export function appRoleLogin({ roleId, secretId, mount = 'approle' }: AppRoleOptions): VaultLoginFunction {
  return async ({ login }) => {
    const secret = typeof secretId === 'function' ? await secretId() : secretId
    const body = secret === undefined ? { role_id: roleId } : { role_id: roleId, secret_id: secret }
    return login(`auth/${mount}/login`, body)
  }
}

/** Options of `kubernetesLogin`. */
export interface KubernetesOptions {
  readonly role: string
  /** Where the auth method is mounted; `kubernetes` unless given. */
  readonly mount?: string | undefined
  /** The file of the service account's token, read at each login; that of the pod unless given. */
  readonly tokenFile?: string | undefined
}

const POD_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/**
 * Logs in with the service account of a pod, for the option `login` of `vaultKms`.
 *
 * @example
 * ```ts
 * const login = kubernetesLogin({ role: 'fieldseal' })
 * ```
 */
export function kubernetesLogin({
  role,
  mount = 'kubernetes',
  tokenFile = POD_TOKEN,
}: KubernetesOptions): VaultLoginFunction {
  return async ({ login }) => {
    const jwt = await readFile(tokenFile, 'utf8').catch(() => {
      throw noToken('login', `could not read ${tokenFile}`)
    })
    return login(`auth/${mount}/login`, { role, jwt: jwt.trim() })
  }
}
