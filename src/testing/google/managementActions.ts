import type { Action, Fields, World } from './action.js'
import type { ProtectionLevel } from './cryptoKey.js'
import { GrpcError } from './grpcError.js'
import { cryptoKeyMessage, keyRingMessage, millisecondsOf, versionMessage } from './messages.js'

type Run = (request: Fields, world: World) => object

const reading = { quota: 'read_requests' } as const
const writing = { quota: 'write_requests' } as const
const ofName = { resource: ({ name }: Fields) => String(name) }
const ofParent = { resource: ({ parent }: Fields) => String(parent) }
const text = (value: unknown): string => String(value ?? '')

/** https://cloud.google.com/kms/docs/reference/permissions-and-roles names the permission of each. */
export const managementActions: { readonly [method: string]: Action } = {
  GetKeyRing: {
    ...reading,
    ...ofName,
    permission: 'cloudkms.keyRings.get',
    run: ({ name }, { keyRings }) => keyRingMessage(keyRings.ring(text(name))),
  },
  ListKeyRings: {
    ...reading,
    ...ofParent,
    permission: 'cloudkms.keyRings.list',
    run: (request, { keyRings }) => {
      const here = keyRings.list.filter(({ name }) => name.startsWith(`${text(request.parent)}/keyRings/`))
      return page(request, 'keyRings', here.map(keyRingMessage))
    },
  },
  CreateKeyRing: {
    ...writing,
    ...ofParent,
    permission: 'cloudkms.keyRings.create',
    run: ({ parent, keyRingId }, { keyRings }) => keyRingMessage(keyRings.createRing(text(parent), text(keyRingId))),
  },
  GetCryptoKey: {
    ...reading,
    ...ofName,
    permission: 'cloudkms.cryptoKeys.get',
    run: ({ name }, { keyRings }) => cryptoKeyMessage(keyRings.key(text(name))),
  },
  ListCryptoKeys: {
    ...reading,
    ...ofParent,
    permission: 'cloudkms.cryptoKeys.list',
    run: (request, { keyRings }) => {
      const names = [...keyRings.ring(text(request.parent)).keys.keys()]
      return page(
        request,
        'cryptoKeys',
        names.map((name) => cryptoKeyMessage(keyRings.key(name))),
      )
    },
  },
  CreateCryptoKey: { ...writing, ...ofParent, permission: 'cloudkms.cryptoKeys.create', run: createKey },
  UpdateCryptoKey: {
    ...writing,
    resource: ({ cryptoKey }) => text((cryptoKey as Fields | undefined)?.name),
    permission: 'cloudkms.cryptoKeys.update',
    run: updateKey,
  },
  UpdateCryptoKeyPrimaryVersion: {
    ...writing,
    ...ofName,
    permission: 'cloudkms.cryptoKeys.update',
    run: ({ name, cryptoKeyVersionId: id }, { keyRings }) => {
      const version = keyRings.version(`${text(name)}/cryptoKeyVersions/${text(id)}`)
      return cryptoKeyMessage(keyRings.setPrimary(text(name), version))
    },
  },
  GetCryptoKeyVersion: {
    ...reading,
    ...ofName,
    permission: 'cloudkms.cryptoKeyVersions.get',
    run: ({ name }, { keyRings }) => versionMessage(keyRings.version(text(name))),
  },
  ListCryptoKeyVersions: {
    ...reading,
    ...ofParent,
    permission: 'cloudkms.cryptoKeyVersions.list',
    run: (request, { keyRings }) =>
      page(request, 'cryptoKeyVersions', keyRings.key(text(request.parent)).versions.map(versionMessage)),
  },
  CreateCryptoKeyVersion: {
    ...writing,
    ...ofParent,
    permission: 'cloudkms.cryptoKeyVersions.create',
    run: ({ parent }, { keyRings }) => versionMessage(keyRings.addVersion(text(parent))),
  },
  UpdateCryptoKeyVersion: {
    ...writing,
    resource: ({ cryptoKeyVersion }) => text((cryptoKeyVersion as Fields | undefined)?.name),
    permission: 'cloudkms.cryptoKeyVersions.update',
    run: updateVersion,
  },
  DestroyCryptoKeyVersion: {
    ...writing,
    ...ofName,
    permission: 'cloudkms.cryptoKeyVersions.destroy',
    run: ({ name }, { keyRings }) => versionMessage(keyRings.destroy(keyRings.version(text(name)).name)[0]!),
  },
  RestoreCryptoKeyVersion: {
    ...writing,
    ...ofName,
    permission: 'cloudkms.cryptoKeyVersions.restore',
    run: ({ name }, { keyRings }) => versionMessage(keyRings.restore(keyRings.version(text(name)).name)[0]!),
  },
}

function createKey(request: Parameters<Run>[0], { keyRings }: World): object {
  const { parent, cryptoKeyId, skipInitialVersionCreation } = request
  const key = (request.cryptoKey ?? {}) as Fields
  const template = (key.versionTemplate ?? {}) as Fields
  if (key.purpose !== 'ENCRYPT_DECRYPT')
    throw new GrpcError('INVALID_ARGUMENT', 'The emulator has keys of the purpose ENCRYPT_DECRYPT only.')
  const name = `${keyRings.ring(text(parent)).name}/cryptoKeys/${text(cryptoKeyId)}`
  const created = keyRings.create(name, {
    protectionLevel: protectionLevelOf(template.protectionLevel),
    rotationPeriod: millisecondsOf(key.rotationPeriod),
    nextRotationTime: millisecondsOf(key.nextRotationTime),
    destroyScheduledDuration: millisecondsOf(key.destroyScheduledDuration),
    withoutVersion: skipInitialVersionCreation === true,
  })
  return cryptoKeyMessage(created)
}

function protectionLevelOf(level: unknown): ProtectionLevel {
  if (level === undefined || level === 'PROTECTION_LEVEL_UNSPECIFIED' || level === 'SOFTWARE') return 'SOFTWARE'
  if (level === 'HSM') return 'HSM'
  throw new GrpcError('INVALID_ARGUMENT', `The emulator has no keys of the protection level ${text(level)}.`)
}

function updateKey(request: Fields, { keyRings }: World): object {
  const given = (request.cryptoKey ?? {}) as Fields
  const key = keyRings.key(text(given.name))
  for (const path of pathsOf(request)) {
    if (path === 'rotation_period') key.rotationPeriod = millisecondsOf(given.rotationPeriod)
    else if (path === 'next_rotation_time') key.nextRotationTime = millisecondsOf(given.nextRotationTime)
    else throw unsupported(path)
  }
  return cryptoKeyMessage(key)
}

function updateVersion(request: Fields, { keyRings }: World): object {
  const { name, state } = (request.cryptoKeyVersion ?? {}) as Fields
  const version = keyRings.version(text(name))
  const other = pathsOf(request).find((path) => path !== 'state')
  if (other !== undefined) throw unsupported(other)
  if (state === 'ENABLED') return versionMessage(keyRings.enable(version.name)[0]!)
  if (state === 'DISABLED') return versionMessage(keyRings.disable(version.name)[0]!)
  throw new GrpcError('INVALID_ARGUMENT', `A version cannot be made ${text(state)} by an update.`)
}

function pathsOf({ updateMask }: Fields): readonly string[] {
  const { paths } = (updateMask ?? {}) as { readonly paths?: readonly string[] }
  if (paths && paths.length > 0) return paths
  throw new GrpcError('INVALID_ARGUMENT', 'The field update_mask is required.')
}

function unsupported(path: string): GrpcError {
  return new GrpcError('INVALID_ARGUMENT', `The emulator does not update ${path}.`)
}

/** https://google.aip.dev/158 */
function page({ pageSize, pageToken }: Fields, name: string, all: readonly object[]): object {
  const [from, size] = [Number(pageToken) || 0, Number(pageSize) || 100]
  const nextPageToken = from + size < all.length ? String(from + size) : ''
  return { [name]: all.slice(from, from + size), nextPageToken, totalSize: all.length }
}
