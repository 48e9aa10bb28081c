import type { Fields, PathAnswer } from './batch.js'
import type { Token } from './tokens.js'
import { refused, VaultError } from './vaultError.js'
import type { VaultWorld } from './world.js'

const VERSIONS = { vault: '1.20.4', openbao: '2.4.1' } as const

/** What is answered without a token; `undefined` for every other path. */
export function runOpenPath(world: VaultWorld, method: string, path: string, body: Fields): PathAnswer | undefined {
  if (path === 'sys/health') return health(world)
  if (path === 'sys/seal-status' && method === 'GET') return { data: { initialized: true, sealed: world.node.sealed } }
  if (path === 'sys/unseal' && method === 'POST') {
    world.node.sealed = false
    return { data: { sealed: false } }
  }
  if (path === 'auth/approle/login' && method === 'POST' && !world.node.sealed) return logIn(world, body)
  return undefined
}

/** https://developer.hashicorp.com/vault/api-docs/system/health */
function health({ node, product, now }: VaultWorld): PathAnswer {
  const standby = node.activeNode !== undefined
  const data = {
    initialized: true,
    sealed: node.sealed,
    standby,
    performance_standby: false,
    server_time_utc: Math.floor(now() / 1000),
    version: VERSIONS[product],
  }
  return { data, status: node.sealed ? 503 : standby ? 429 : 200 }
}

/** https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle */
function logIn({ appRoles, tokens }: VaultWorld, body: Fields): PathAnswer {
  const role = appRoles.find(({ roleId, secretId }) => body.role_id === roleId && body.secret_id === secretId)
  if (!role) throw refused('invalid role or secret ID')
  const { policies, ttl = 3_600, maxTtl = 0 } = role
  return { auth: authOf(tokens.create({ policies, ttl, maxTtl }), ttl) }
}

/** What a token may ask about itself, and `sys/seal`; `undefined` for every other path. */
export function runTokenPath(
  world: VaultWorld,
  { method, path, token }: { readonly method: string; readonly path: string; readonly token: Token },
): PathAnswer | undefined {
  const { tokens, node } = world
  switch (`${method} ${path}`) {
    case 'GET auth/token/lookup-self':
      return { data: lookedUp(world, token) }
    case 'POST auth/token/renew-self':
      if (!token.renewable) throw new VaultError(400, ['lease is not renewable'])
      tokens.renew(token)
      return { auth: authOf(token, tokens.left(token)) }
    case 'POST auth/token/revoke-self':
      tokens.revoke(token.id)
      return {}
    case 'POST sys/seal':
      node.sealed = true
      return {}
    default:
      return undefined
  }
}

function authOf({ id, accessor, policies, renewable }: Token, left: number): object {
  return {
    client_token: id,
    accessor,
    policies,
    token_policies: policies,
    lease_duration: left,
    renewable,
    token_type: 'service',
  }
}

function lookedUp({ tokens }: VaultWorld, token: Token): object {
  const { id, accessor, policies, ttl, maxTtl, created, ends, renewable } = token
  return {
    id,
    accessor,
    policies,
    creation_time: Math.floor(created / 1000),
    creation_ttl: ttl,
    explicit_max_ttl: maxTtl,
    expire_time: Number.isFinite(ends) ? new Date(ends).toISOString() : null,
    num_uses: 0,
    orphan: true,
    renewable,
    ttl: tokens.left(token),
    type: 'service',
  }
}
