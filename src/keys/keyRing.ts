import { FieldsealError, quoted } from '../errors.js'
import { ActiveKeys } from './activeKeys.js'
import { withBreaker } from './breaker.js'
import type { DekCache } from './cache/dekCache.js'
import { LoadedKeys } from './cache/loadedKeys.js'
import { DestroyedKeys } from './destroyedKeys.js'
import { HeldKeys } from './heldKeys.js'
import { IndexKeys } from './indexKeys.js'
import type { KeyStore } from './keyStore.js'
import type { KeyTraces } from './keyTraces.js'
import { type CountedPurpose, encryptsValues, type Kms, type ValueKms } from './kms.js'
import { type Observation, observedKms } from './observedKms.js'
import { checkPolicy, ROTATION_DEFAULTS, type RotationPolicy } from './quota/rotation.js'
import { Unwrapper } from './unwrapper.js'

const NO_OBSERVATION: Observation = { emit: undefined, around: undefined }

export interface KeyRingOptions {
  readonly kms: Kms
  readonly store: KeyStore
  readonly cache: DekCache
  /** Tells tenants without a key for blind indexes from new ones; unless given, every one of them is new. */
  readonly traces?: KeyTraces
  /** When DEKs are succeeded by new ones; 90 days and 2³² messages unless given. */
  readonly rotation?: Partial<RotationPolicy>
  /** What the ring's DEKs are for that are allotted and loaded; `encrypt` unless given. */
  readonly counted?: CountedPurpose
  /** Milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
  readonly observation?: Observation
}

/** The tenants' DEKs, put together once: whoever works with them takes the part that is needed. */
export class KeyRing {
  /** What wraps its DEKs, with its calls told and spared while it is down. */
  readonly kms: Kms
  /** The DEKs that encrypt, by tenant. */
  readonly active: ActiveKeys
  /** The DEKs that ciphertexts name, by id. */
  readonly loaded: LoadedKeys
  /** All that are in memory. */
  readonly held: HeldKeys
  /** Those for indexes, to rotate them. */
  readonly indexKeys: IndexKeys

  /** @throws FieldsealError `OPTIONS_INVALID` for a rotation that cannot be */
  constructor(options: KeyRingOptions) {
    const { store, cache, traces, rotation, counted = 'encrypt', now = Date.now } = options
    const { emit, around, onRotated = () => undefined } = options.observation ?? NO_OBSERVATION
    const policy = { ...ROTATION_DEFAULTS, ...rotation }
    checkPolicy(policy)
    const kms = withBreaker(observedKms(options.kms, { emit, around }))
    const destroyed = new DestroyedKeys()
    const unwrapper = new Unwrapper(kms, destroyed)
    const shared = { store, cache, unwrapper, destroyed, counted, emit }
    const loaded = new LoadedKeys({ ...shared, onDestroyed: (tenant) => this.held.evict(tenant) })
    const active = new ActiveKeys({ ...shared, kms, traces, policy, now, onRotated })
    this.kms = kms
    this.active = active
    this.loaded = loaded
    this.held = new HeldKeys({ ...shared, active, loaded })
    this.indexKeys = new IndexKeys({ store, cache, active, held: this.held })
  }

  /**
   * What encrypts values without a DEK.
   *
   * @throws FieldsealError `OPTIONS_INVALID` when the KMS encrypts no values
   */
  get valueKms(): ValueKms {
    if (encryptsValues(this.kms)) return this.kms
    const message =
      `the KMS ${quoted(this.kms.name)} has no encrypt() and decrypt() for values that a KMS itself encrypts (mode: kms): ` +
      'use one that has, as those of all vendors here do (tencentKms without "sealed")'
    throw new FieldsealError('OPTIONS_INVALID', message)
  }
}
