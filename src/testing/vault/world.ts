import type { RateLimits } from '../emulator/rateLimits.js'
import type { Policy } from './policies.js'
import type { TransitTokens } from './tokens.js'
import type { TransitKeys } from './transitKeys.js'

export type VaultProduct = 'vault' | 'openbao'

/** A role of the AppRole auth method. https://developer.hashicorp.com/vault/api-docs/auth/approle */
export interface AppRole {
  readonly roleId: string
  readonly secretId: string
  readonly policies: readonly string[]
  /** Seconds; 3,600 unless given. */
  readonly ttl?: number
  /** Seconds; 0, unless given, for none. */
  readonly maxTtl?: number
}

/** The state of the node that answers. */
export interface VaultNode {
  sealed: boolean
  /** The address of the active node, while this one is a standby that forwards nothing: it sends clients there. */
  activeNode: string | undefined
}

/** All that an emulated Vault has. */
export interface VaultWorld {
  readonly product: VaultProduct
  readonly now: () => number
  readonly node: VaultNode
  readonly keys: TransitKeys
  readonly tokens: TransitTokens
  readonly policies: Map<string, Policy>
  readonly appRoles: readonly AppRole[]
  /** Without the root. */
  readonly namespaces: readonly string[]
  /** Where the transit engine is mounted, with the namespace: `team-a/transit`. */
  readonly mounts: readonly string[]
  readonly limits: RateLimits
  readonly rateLimitHeaders: boolean
  /** Whether a refusal says that it is the token, as newer versions do. */
  readonly tellsInvalidTokens: boolean
}
