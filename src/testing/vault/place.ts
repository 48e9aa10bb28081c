import type { VaultWorld } from './world.js'

/** Where a request goes. */
export interface Place {
  /** `''` is the root. */
  readonly namespace: string
  /** In the namespace. */
  readonly path: string
  /** The transit engine that is mounted there, with the namespace. */
  readonly mount?: string
  /** After the mount. */
  readonly inMount?: string
}

/**
 * Header and path together name the namespace: `ns1` and `ns2/transit/…` are the same as none and `ns1/ns2/transit/…`
 * (https://developer.hashicorp.com/vault/api-docs#namespaces). `undefined` for a header that names none.
 */
export function placeOf({ namespaces, mounts }: VaultWorld, path: string, header: string): Place | undefined {
  const named = header.replaceAll(/^\/+|\/+$/g, '')
  if (named !== '' && named !== 'root' && !namespaces.includes(named)) return undefined
  const full = named === '' || named === 'root' ? path : `${named}/${path}`
  const namespace = longest(namespaces, full) ?? ''
  const mount = longest(mounts, full)
  const inside = namespace === '' ? full : full.slice(namespace.length + 1)
  const isIn = mount !== undefined && `${mount}/`.startsWith(namespace === '' ? '' : `${namespace}/`)
  return { namespace, path: inside, ...(isIn && { mount, inMount: full.slice(mount.length + 1) }) }
}

function longest(paths: readonly string[], full: string): string | undefined {
  return paths.filter((path) => full.startsWith(`${path}/`)).sort((a, b) => b.length - a.length)[0]
}
