import { badParameter } from './azureApiError.js'
import { type CryptoRequest, decrypt, encrypt, type Parameters } from './cryptoOperations.js'
import { type HsmKey, type HsmKeyChange, type HsmKeyType, keyBundle, keyItem } from './hsmKey.js'
import type { HsmKeys } from './hsmKeys.js'
import type { HsmOperation } from './permissions.js'
import type { Route } from './routes.js'

/** What a request that is permitted asks for. */
export interface OperationRequest extends Route {
  readonly keys: HsmKeys
  readonly parameters: Parameters
  /** `https://HOST:PORT`, as the client called it: ids begin with it. */
  readonly origin: string
}

/** What it answers; `undefined` for nothing, with 204. */
type Operation = (request: OperationRequest) => object | undefined

/** learn.microsoft.com/rest/api/keyvault/keys/operation-groups */
export const operations: { readonly [operation in HsmOperation]: Operation } = {
  encrypt: (request) => cryptography(request, encrypt),
  decrypt: (request) => cryptography(request, decrypt),
  createKey: ({ keys, name, parameters, origin }) => {
    const { kty: type, key_size: size } = parameters
    if (typeof type !== 'string') throw badParameter('Property kty has invalid value')
    const sized = typeof size === 'number' ? { size } : {}
    const key = keys.create({ name, type: type as HsmKeyType, ...sized, ...changeOf(parameters) })
    return newest(origin, key)
  },
  getKey: ({ keys, name, version, origin }) => keyBundle(origin, keys.find(name), keys.version(name, version)),
  listKeys: ({ keys, origin }) =>
    listed(keys.list.map((key) => keyItem(`${origin}/keys/${key.name}`, key.versions.at(-1)!))),
  listKeyVersions: ({ keys, name, origin }) => {
    const key = keys.find(name)
    return listed(key.versions.map((each) => keyItem(`${origin}/keys/${key.name}/${each.version}`, each)))
  },
  updateKey: ({ keys, name, version, parameters, origin }) => {
    const { version: changed } = keys.version(name, version)
    const key = keys.update(name, changeOf(parameters), changed)
    return keyBundle(origin, key, keys.version(name, changed))
  },
  rotateKey: ({ keys, name, origin }) => newest(origin, keys.rotate(name)),
  deleteKey: ({ keys, name, origin }) => newest(origin, keys.delete(name)),
  getDeletedKey: ({ keys, name, origin }) => newest(origin, keys.findDeleted(name)),
  listDeletedKeys: ({ keys, origin }) =>
    listed(keys.deleted.map((key) => keyItem(`${origin}/keys/${key.name}`, key.versions.at(-1)!))),
  recoverDeletedKey: ({ keys, name, origin }) => newest(origin, keys.recover(name)),
  purgeDeletedKey: ({ keys, name }) => {
    keys.purge(name)
    return undefined
  },
}

/** The answer names the version that was used, by which the caller can decrypt later. */
function cryptography(
  { keys, name, version, parameters, origin }: OperationRequest,
  run: (request: CryptoRequest) => object,
) {
  const key = keys.find(name)
  const used = keys.version(name, version)
  const answer = run({ key, version: used, parameters, now: keys.now })
  return { kid: `${origin}/keys/${key.name}/${used.version}`, ...answer }
}

function newest(origin: string, key: HsmKey): object {
  return keyBundle(origin, key, key.versions.at(-1)!)
}

function listed(value: readonly object[]): object {
  return { value, nextLink: null }
}

function changeOf({ attributes, key_ops: operations }: Parameters): HsmKeyChange {
  const { enabled, nbf, exp } = (attributes ?? {}) as Parameters
  return {
    ...(typeof enabled === 'boolean' ? { enabled } : {}),
    ...(typeof nbf === 'number' ? { notBefore: nbf } : {}),
    ...(typeof exp === 'number' ? { expires: exp } : {}),
    ...(Array.isArray(operations) ? { operations: operations.map(String) } : {}),
  }
}
