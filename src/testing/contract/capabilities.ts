import assert from 'node:assert/strict'
import type { Counterpart, KmsCapability, KmsUnderTest } from './kmsUnderTest.js'

interface Presence {
  /** How a title says that it is absent. */
  readonly absent: string
  readonly has: (subject: KmsUnderTest) => boolean
}

/** How each capability shows. `strictText` shows in what is refused only, and has tests of its own. */
const PRESENCE: { readonly [Capability in Exclude<KmsCapability, 'strictText'>]: Presence } = {
  wrap: { absent: 'takes over no DEK of another Kms: wrap is undefined', has: (s) => s.kmsOf().wrap !== undefined },
  rewrap: { absent: 'does not rewrap: rewrap is undefined', has: (s) => s.kmsOf().rewrap !== undefined },
  values: {
    absent: 'encrypts no values: encrypt and decrypt are undefined',
    has: (s) => s.kmsOf().encrypt !== undefined || s.kmsOf().decrypt !== undefined,
  },
  formerKeyIds: {
    absent: 'knows no former KEKs: kmsOf throws for formerKeyIds',
    has: (s) => works(() => s.kmsOf({ formerKeyIds: [s.keyIds[1]] })),
  },
  keyIdOf: {
    absent: 'has one KEK for all tenants: kmsOf throws for a keyId that is a function',
    has: (s) => works(() => s.kmsOf({ keyId: () => s.keyIds[0] })),
  },
  disable: { ...ofCounterpart('disable'), absent: 'has no KEKs that are disabled and enabled' },
  rotate: { ...ofCounterpart('rotate'), absent: 'has no versions of a KEK' },
  scheduleDeletion: { ...ofCounterpart('scheduleDeletion'), absent: 'has no KEKs whose deletion is scheduled' },
  destroy: { ...ofCounterpart('destroy'), absent: 'has no KEKs that are destroyed' },
  throttle: { ...ofCounterpart('throttle'), absent: 'throttles nobody' },
  outage: { ...ofCounterpart('outage'), absent: 'has nothing that can be down' },
  slow: { ...ofCounterpart('slow'), absent: 'has nothing that can be slow' },
  hangUp: { ...ofCounterpart('hangUp'), absent: 'has no connection that can be cut' },
  truncate: { ...ofCounterpart('truncate'), absent: 'has no answers that can be truncated' },
  alter: { ...ofCounterpart('alter'), absent: 'has no answers that can be altered' },
  deny: { ...ofCounterpart('deny'), absent: 'denies nobody' },
  expireCredentials: { ...ofCounterpart('expireCredentials'), absent: 'has no credentials that expire' },
  calls: { ...ofCounterpart('calls'), absent: 'makes no requests that can be counted' },
}

function ofCounterpart(name: keyof Counterpart): Pick<Presence, 'has'> {
  return { has: (subject) => subject[name] !== undefined }
}

/** @throws AssertionError which says that it should be among `lacks`, or be there */
export function assertPresent(capability: KmsCapability, subject: KmsUnderTest): void {
  if (capability === 'strictText' || PRESENCE[capability].has(subject)) return
  assert.fail(`"${capability}" is not there. Build it, or give it to testKms in "lacks" if this Kms is not to have it.`)
}

/** The title and the test of something that is said to be absent. */
export function absence(capability: Exclude<KmsCapability, 'strictText'>): {
  readonly title: string
  readonly assertAbsent: (subject: KmsUnderTest) => void
} {
  const { absent, has } = PRESENCE[capability]
  return {
    title: absent,
    assertAbsent: (subject) => {
      if (has(subject)) assert.fail(`"${capability}" is there after all: take it out of "lacks", so that it is tested.`)
    },
  }
}

function works(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}
