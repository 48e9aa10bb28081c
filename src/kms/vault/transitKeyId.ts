/** A transit key by its path, as Vault's policies name it: namespace, mount and name. */
export interface TransitKey {
  /** `transit`, or `team-a/transit` where the key is in a namespace below that of the client. */
  readonly mount: string
  readonly name: string
}

const SEGMENT = /^\w(?:[\w.-]*\w)?$/
const MAX_LENGTH = 256

/** Whether a value can name a transit key: `name`, `mount/name` or `namespace/mount/name`. */
export function isTransitKeyId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LENGTH && value.split('/').every((part) => SEGMENT.test(part))
}

/** Whether a value can be the path of a mount, or of a namespace. */
export const isTransitPath = isTransitKeyId

/**
 * The id under which the keys table knows a key: its whole path, `namespace/mount/name`. The path is what Vault itself goes
 * by, so one key has one id, whichever part of it the client's header names and the request's path. The address is not in
 * it: a cluster has several, and so has its replica.
 */
export class TransitKeyIds {
  readonly #mount: string
  readonly #prefix: string

  /** @param namespace that of the client's header; none is `''` */
  constructor({ mount, namespace }: { readonly mount: string; readonly namespace: string }) {
    this.#mount = mount
    this.#prefix = namespace === '' ? '' : `${namespace}/`
  }

  /** The id of what the options call `keyId`; a name alone is in the mount of the options. */
  kekIdOf(keyId: string): string {
    return `${this.#prefix}${keyId.includes('/') ? keyId : `${this.#mount}/${keyId}`}`
  }

  /** The key of an id that `kekIdOf` gave, as the client's requests name it: without the namespace of its header. */
  keyOf(kekId: string): TransitKey {
    const path = kekId.slice(this.#prefix.length)
    const end = path.lastIndexOf('/')
    return { mount: path.slice(0, end), name: path.slice(end + 1) }
  }
}
