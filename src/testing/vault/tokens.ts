import { randomBytes } from 'node:crypto'

/** A token as it is made. https://developer.hashicorp.com/vault/api-docs/auth/token#create-token */
export interface TokenSettings {
  /** Random unless given. */
  readonly id?: string
  readonly policies: readonly string[]
  /** Seconds; 0, unless given, for one that does not end. */
  readonly ttl?: number
  /** `true` unless given. */
  readonly renewable?: boolean
  /** Seconds from its making, over all renewals; 0, unless given, for none. */
  readonly maxTtl?: number
  /** Where it counts, and below; the root unless given. */
  readonly namespace?: string
  /** Left out of the policies unless `false`. */
  readonly noDefaultPolicy?: boolean
}

export interface Token {
  readonly id: string
  readonly accessor: string
  readonly policies: readonly string[]
  readonly namespace: string
  readonly renewable: boolean
  readonly ttl: number
  readonly maxTtl: number
  /** Milliseconds since the epoch; infinite for one that does not end. */
  readonly created: number
  ends: number
}

const SECOND = 1_000

/** The tokens of an emulator. Requests make, renew and revoke them, and so may a test. */
export class TransitTokens {
  readonly #now: () => number
  readonly #tokens = new Map<string, Token>()

  constructor(now: () => number) {
    this.#now = now
  }

  get list(): readonly Token[] {
    return [...this.#tokens.values()]
  }

  create(settings: TokenSettings): Token {
    const { id = `hvs.${randomBytes(18).toString('base64url')}`, ttl = 0, namespace = '' } = settings
    const created = this.#now()
    const withDefault = settings.noDefaultPolicy || settings.policies.includes('root') ? [] : ['default']
    const token: Token = {
      id,
      accessor: randomBytes(18).toString('base64url'),
      policies: [...new Set([...withDefault, ...settings.policies])],
      namespace,
      renewable: ttl > 0 && (settings.renewable ?? true),
      ttl,
      maxTtl: settings.maxTtl ?? 0,
      created,
      ends: ttl > 0 ? created + ttl * SECOND : Number.POSITIVE_INFINITY,
    }
    this.#tokens.set(id, token)
    return token
  }

  /** A token that counts now. */
  valid(id: string): Token | undefined {
    const token = this.#tokens.get(id)
    if (token && token.ends > this.#now()) return token
    this.#tokens.delete(id)
    return undefined
  }

  /** For another of its ttl, but never beyond its max ttl. */
  renew(token: Token): void {
    const latest = token.maxTtl > 0 ? token.created + token.maxTtl * SECOND : Number.POSITIVE_INFINITY
    if (token.ttl > 0) token.ends = Math.min(this.#now() + token.ttl * SECOND, latest)
  }

  /** Seconds that are left; 0 for a token that does not end. */
  left({ ends }: Token): number {
    return Number.isFinite(ends) ? Math.max(0, Math.ceil((ends - this.#now()) / SECOND)) : 0
  }

  revoke(id: string): void {
    this.#tokens.delete(id)
  }

  revokeAll(): void {
    this.#tokens.clear()
  }
}
