import type { KmsCall } from './events.js'
import { type DekIdentity, encryptsValues, type Kms, type ValueIdentity } from './kms.js'

/** Makes a call of a `Kms`, or has it fail, and gives its answer. */
export type AroundCall = <Identity extends DekIdentity | ValueIdentity, T>(
  action: KmsCall['action'],
  identity: Identity,
  call: (identity: Identity) => Promise<T>,
) => Promise<T>

/** A `Kms` with an entry for each of its members, so that one which is forgotten is a type error. */
export type KmsMembers = { readonly [Member in keyof Required<Kms>]: Kms[Member] | undefined }

/**
 * The same KMS with something around each of its calls. Members are asked for by name: a `Kms` may be an instance of a
 * class, and a spread would lose what its prototype has, getters among them. Whoever reads an optional member takes
 * `undefined` for absent.
 */
export function aroundKms(kms: Kms, around: AroundCall): Kms {
  const values = encryptsValues(kms) ? kms : undefined
  const members = {
    get name() {
      return kms.name
    },
    get reads() {
      return kms.reads
    },
    get concurrency() {
      return kms.concurrency
    },
    get members() {
      return kms.members
    },
    get ownBreaker() {
      return kms.ownBreaker
    },
    get holder() {
      return kms.holder
    },
    generate: (identity) => around('generate', identity, (whose) => kms.generate(whose)),
    unwrap: (wrapped, identity) => around('unwrap', identity, (whose) => kms.unwrap(wrapped, whose)),
    wrap: kms.wrap && ((dek, identity) => around('wrap', identity, (whose) => kms.wrap!(dek, whose))),
    rewrap: kms.rewrap && ((old, identity) => around('rewrap', identity, (whose) => kms.rewrap!(old, whose))),
    encrypt: values && ((value, identity) => around('encrypt', identity, (whose) => values.encrypt(value, whose))),
    decrypt: values && ((text, identity) => around('decrypt', identity, (whose) => values.decrypt(text, whose))),
  } satisfies KmsMembers
  return members as Kms
}
