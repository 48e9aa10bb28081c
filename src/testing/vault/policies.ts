/** What a policy may allow on a path. https://developer.hashicorp.com/vault/docs/concepts/policies#capabilities */
export type Capability = 'create' | 'read' | 'update' | 'delete' | 'list' | 'sudo' | 'deny'

/**
 * A policy in a small form: capabilities by path. A path may end in `*` for whatever follows, and have `+` in place of one
 * part.
 */
export interface Policy {
  readonly [path: string]: readonly Capability[]
}

/** The policy of every token that is made without saying otherwise; the lines of it that matter here. */
export const DEFAULT_POLICY: Policy = {
  'auth/token/lookup-self': ['read'],
  'auth/token/renew-self': ['update'],
  'auth/token/revoke-self': ['update'],
}

/** What an app with this library needs, and nothing else. */
export function leastPrivilege(mount: string, name: string): Policy {
  return {
    [`${mount}/keys/${name}`]: ['read'],
    [`${mount}/datakey/plaintext/${name}`]: ['update'],
    [`${mount}/decrypt/${name}`]: ['update'],
    [`${mount}/encrypt/${name}`]: ['update'],
    [`${mount}/rewrap/${name}`]: ['update'],
  }
}

/** Of all lines that fit a path, the most specific one counts, of whichever policies; `deny` beats the rest of it. */
export function allows(policies: readonly Policy[], path: string, capability: Capability): boolean {
  const fitting = policies.flatMap((policy) => Object.keys(policy).filter((pattern) => fits(pattern, path)))
  const best = [...new Set(fitting)].sort((a, b) => specificity(b) - specificity(a))[0]
  if (best === undefined) return false
  const capabilities = policies.flatMap((policy) => policy[best] ?? [])
  return !capabilities.includes('deny') && capabilities.includes(capability)
}

function fits(pattern: string, path: string): boolean {
  const open = pattern.endsWith('*')
  const wanted = (open ? pattern.slice(0, -1) : pattern).split('/')
  const parts = path.split('/')
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false
  return wanted.every((part, index) => {
    if (part === '+') return true
    return open && index === wanted.length - 1 ? parts[index]!.startsWith(part) : parts[index] === part
  })
}

/** An exact path before one with `+`, and that before one with `*`; of the same kind the longer one. */
function specificity(pattern: string): number {
  const kind = pattern.endsWith('*') ? 0 : pattern.split('/').includes('+') ? 1 : 2
  return kind * 10_000 + pattern.length
}
