import { AzureApiError } from './azureApiError.js'

const OF_KEYS = 'Microsoft.KeyVault/managedHsm/keys'

/** What the emulator does, and the data action of local RBAC that it takes: learn.microsoft.com/azure/key-vault/managed-hsm/built-in-roles. */
export const DATA_ACTIONS = {
  encrypt: `${OF_KEYS}/encrypt/action`,
  decrypt: `${OF_KEYS}/decrypt/action`,
  createKey: `${OF_KEYS}/create`,
  getKey: `${OF_KEYS}/read/action`,
  listKeys: `${OF_KEYS}/read/action`,
  listKeyVersions: `${OF_KEYS}/read/action`,
  updateKey: `${OF_KEYS}/write/action`,
  rotateKey: `${OF_KEYS}/rotate/action`,
  deleteKey: `${OF_KEYS}/delete`,
  getDeletedKey: `${OF_KEYS}/deletedKeys/read/action`,
  listDeletedKeys: `${OF_KEYS}/deletedKeys/read/action`,
  recoverDeletedKey: `${OF_KEYS}/deletedKeys/recover/action`,
  purgeDeletedKey: `${OF_KEYS}/deletedKeys/delete`,
} as const

export type HsmOperation = keyof typeof DATA_ACTIONS

/** Somebody who may do something: a user, a service principal, a managed identity. */
export interface EmulatorPrincipal {
  /** The object id. */
  readonly id: string
  /** What its role allows; everything unless given. */
  readonly operations?: readonly HsmOperation[]
  /** The names of the keys that it is assigned for; all unless given. */
  readonly keys?: readonly string[]
}

interface Denied {
  readonly operation: HsmOperation
  readonly key: string | undefined
}

/** Local RBAC of the HSM. */
export class HsmPermissions {
  readonly #principals: readonly EmulatorPrincipal[]
  #denied: Denied[] = []

  constructor(principals: readonly EmulatorPrincipal[]) {
    this.#principals = principals
  }

  /** Takes the right away from everybody, for one key or for all. Returns a function that gives it back. */
  deny(operation: HsmOperation, key?: string): () => void {
    const denied = { operation, key }
    this.#denied.push(denied)
    return () => {
      this.#denied = this.#denied.filter((other) => other !== denied)
    }
  }

  /** Takes back what was denied. */
  clear(): void {
    this.#denied = []
  }

  /** @throws AzureApiError `AccessDenied`, in the words of github.com/Azure/azure-cli/issues/32719 */
  check(id: string, operation: HsmOperation, key: string): void {
    const principal = this.#principals.find((each) => each.id === id)
    const { operations = [operation], keys = [key] } = principal ?? { operations: [] }
    const denied = this.#denied.some((each) => each.operation === operation && (each.key ?? key) === key)
    if (!denied && operations.includes(operation) && keys.includes(key)) return
    const scope = key === '' ? '/' : `/keys/${key}`
    throw new AzureApiError('AccessDenied', `Not authorized to access ${DATA_ACTIONS[operation]} on ${scope}`)
  }
}
