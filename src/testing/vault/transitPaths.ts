import { randomBytes } from 'node:crypto'
import { type BatchOperation, contextOf, type Fields, type PathAnswer, runBatch } from './batch.js'
import type { Capability } from './policies.js'
import { encrypt, latestVersion, type TransitKey, type TransitKeySettings } from './transitKey.js'
import type { TransitKeyConfig } from './transitKeys.js'
import { notThere, refused, VaultError } from './vaultError.js'
import type { VaultWorld } from './world.js'

/** A request to a mounted transit engine. */
export interface TransitRequest {
  /** With the namespace. */
  readonly mount: string
  /** After the mount: `decrypt/fieldseal`. */
  readonly path: string
  readonly method: string
  readonly body: Fields
}

interface Route {
  readonly pattern: RegExp
  readonly method: 'GET' | 'POST' | 'DELETE' | 'LIST'
  readonly run: (world: VaultWorld, keyPath: string, body: Fields, part: string) => PathAnswer
  readonly only?: VaultWorld['product']
}

const NAME = '(?<name>\\w(?:[\\w.-]*\\w)?)'

/** https://developer.hashicorp.com/vault/api-docs/secret/transit and https://openbao.org/api-docs/secret/transit/ */
const routes: readonly Route[] = [
  { pattern: route('keys/?'), method: 'LIST', run: (world, path) => listed(world, path) },
  { pattern: route(`keys/${NAME}`), method: 'GET', run: (world, path) => ({ data: described(existing(world, path)) }) },
  {
    pattern: route(`keys/${NAME}`),
    method: 'POST',
    run: ({ keys }, path, body) => {
      const { key, isNew } = keys.create(path, body as TransitKeySettings)
      return { data: described(key), ...(!isNew && { warnings: [`key ${key.name} already existed`] }) }
    },
  },
  { pattern: route(`keys/${NAME}`), method: 'DELETE', run: ({ keys }, path) => done(() => keys.delete(path)) },
  {
    pattern: route(`keys/${NAME}/config`),
    method: 'POST',
    run: ({ keys }, path, body) => ({ data: described(keys.configure(path, body as TransitKeyConfig)) }),
  },
  {
    pattern: route(`keys/${NAME}/rotate`),
    method: 'POST',
    run: ({ keys }, path) => ({ data: described(keys.rotate(path)) }),
  },
  {
    pattern: route(`keys/${NAME}/trim`),
    method: 'POST',
    run: ({ keys }, path, { min_available_version: version }) => {
      if (typeof version !== 'number') throw refused('missing min_available_version')
      return { data: described(keys.trim(path, version)) }
    },
  },
  {
    pattern: route(`keys/${NAME}/soft-delete`),
    method: 'DELETE',
    run: ({ keys }, path) => done(() => keys.softDelete(path, true)),
    only: 'openbao',
  },
  {
    pattern: route(`keys/${NAME}/soft-delete-restore`),
    method: 'POST',
    run: ({ keys }, path) => done(() => keys.softDelete(path, false)),
    only: 'openbao',
  },
  { pattern: route(`datakey/(?<part>plaintext|wrapped)/${NAME}`), method: 'POST', run: dataKey },
  {
    pattern: route(`(?<part>encrypt|decrypt|rewrap)/${NAME}`),
    method: 'POST',
    run: (world, path, body, part) => runBatch(part as BatchOperation, used(world, path, body, part), body),
  },
]

function route(path: string): RegExp {
  return new RegExp(`^${path}$`)
}

const CAPABILITIES = { GET: 'read', LIST: 'list', DELETE: 'delete', POST: 'update' } as const

/** What a request needs; of `encrypt` it is "create" for a key that is not there, which it then makes. */
export function capabilityFor({ keys }: VaultWorld, { mount, path, method }: TransitRequest): Capability {
  const [, name] = /^encrypt\/(.+)$/.exec(path) ?? []
  if (name !== undefined && !keys.get(`${mount}/${name}`)) return 'create'
  return CAPABILITIES[method as keyof typeof CAPABILITIES] ?? 'update'
}

/** @throws VaultError */
export function runTransit(world: VaultWorld, { mount, path, method, body }: TransitRequest): PathAnswer {
  const fitting = routes.filter(({ pattern, only }) => pattern.test(path) && (only ?? world.product) === world.product)
  if (fitting.length === 0) throw new VaultError(404, ['unsupported path'])
  const found = fitting.find((each) => each.method === method)
  if (!found) throw new VaultError(405, ['unsupported operation'])
  const { name = '', part = '' } = found.pattern.exec(path)?.groups ?? {}
  return found.run(world, name === '' ? mount : `${mount}/${name}`, body, part)
}

function dataKey(world: VaultWorld, path: string, body: Fields, part: string): PathAnswer {
  const key = usedKey(world, path)
  const bits = body.bits ?? 256
  if (bits !== 128 && bits !== 256 && bits !== 512) throw refused('invalid bit length')
  const [plaintext, context] = [randomBytes(bits / 8), contextOf(body)]
  const answer = { ciphertext: encrypt(key, plaintext, context), key_version: latestVersion(key) }
  const data = part === 'plaintext' ? { ...answer, plaintext: plaintext.toString('base64') } : answer
  return { data, encryptionContext: context.length > 0 ? context.toString() : undefined }
}

/** `encrypt` makes the key that is missing, derived if the request has a context. */
function used(world: VaultWorld, path: string, body: Fields, part: string): TransitKey {
  if (part !== 'encrypt' || world.keys.get(path)) return usedKey(world, path)
  const first = Array.isArray(body.batch_input) ? (body.batch_input[0] as Fields | undefined) : body
  return world.keys.create(path, { derived: contextOf(first ?? {}).length > 0 }).key
}

function usedKey({ keys }: VaultWorld, path: string): TransitKey {
  const key = keys.get(path)
  if (key) return key
  throw refused('encryption key not found')
}

function existing({ keys }: VaultWorld, path: string): TransitKey {
  const key = keys.get(path)
  if (key) return key
  throw notThere()
}

function listed({ keys }: VaultWorld, mount: string): PathAnswer {
  const names = keys.paths.filter((path) => path.startsWith(`${mount}/`)).map((path) => path.slice(mount.length + 1))
  if (names.length === 0) throw notThere()
  return { data: { keys: names } }
}

/** A 204. */
function done(change: () => void): PathAnswer {
  change()
  return {}
}

function described(key: TransitKey): object {
  const kept = key.versions.map(({ created }, index) => [String(index + 1), created] as const)
  const first = Math.max(key.minDecryptionVersion, key.minAvailableVersion)
  return {
    name: key.name,
    type: key.type,
    derived: key.derived,
    deletion_allowed: key.deletionAllowed,
    exportable: key.exportable,
    allow_plaintext_backup: key.plaintextBackup,
    min_available_version: key.minAvailableVersion,
    min_decryption_version: key.minDecryptionVersion,
    min_encryption_version: key.minEncryptionVersion,
    latest_version: latestVersion(key),
    keys: Object.fromEntries(kept.filter(([version]) => Number(version) >= first)),
    supports_encryption: true,
    supports_decryption: true,
    supports_signing: false,
    supports_derivation: true,
    auto_rotate_period: 0,
    imported_key: false,
    ...(key.derived && { kdf: 'hkdf_sha256', convergent_encryption: key.convergent }),
    ...(key.softDeleted && { soft_deleted: true }),
  }
}
