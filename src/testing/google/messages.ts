import type { CryptoKey, CryptoKeyVersion } from './cryptoKey.js'
import type { KeyRing } from './keyRings.js'

/** A `google.protobuf.Timestamp` or `Duration`. */
interface Time {
  readonly seconds: number | string
  readonly nanos?: number
}

const ALGORITHM = 'GOOGLE_SYMMETRIC_ENCRYPTION'

/** As the API writes a key ring. */
export function keyRingMessage({ name, createTime }: KeyRing): object {
  return { name, createTime: timeOf(createTime) }
}

/** As the API writes a key. */
export function cryptoKeyMessage(key: CryptoKey): object {
  return {
    name: key.name,
    purpose: 'ENCRYPT_DECRYPT',
    createTime: timeOf(key.createTime),
    versionTemplate: { protectionLevel: key.protectionLevel, algorithm: ALGORITHM },
    destroyScheduledDuration: timeOf(key.destroyScheduledDuration),
    ...(key.primary ? { primary: versionMessage(key.primary) } : {}),
    ...(key.rotationPeriod ? { rotationPeriod: timeOf(key.rotationPeriod) } : {}),
    ...(key.nextRotationTime ? { nextRotationTime: timeOf(key.nextRotationTime) } : {}),
  }
}

/** As the API writes a version of a key. */
export function versionMessage(version: CryptoKeyVersion): object {
  const { name, state, protectionLevel, destroyTime, destroyEventTime } = version
  const createTime = timeOf(version.createTime)
  return {
    name,
    state,
    protectionLevel,
    algorithm: ALGORITHM,
    createTime,
    generateTime: createTime,
    ...(state === 'DESTROY_SCHEDULED' && destroyTime ? { destroyTime: timeOf(destroyTime) } : {}),
    ...(destroyEventTime ? { destroyEventTime: timeOf(destroyEventTime) } : {}),
  }
}

function timeOf(milliseconds: number): Time {
  return { seconds: Math.floor(milliseconds / 1000), nanos: (milliseconds % 1000) * 1_000_000 }
}

/** Milliseconds; `undefined` where there is no time. */
export function millisecondsOf(time: unknown): number | undefined {
  if (!time) return undefined
  const { seconds, nanos = 0 } = time as Time
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000)
}
