import { LRUCache } from 'lru-cache'
import { FieldsealError } from '../../errors.js'
import type { CallLimits } from '../call/callOptions.js'
import { ofTenant } from '../call/kekIds.js'
import type { Call, Target } from '../call/kmsCall.js'
import { inTime } from './inTime.js'
import { ownError } from './ownError.js'
import { callRefused, lateError, type VaultTarget } from './transit.js'
import type { TransitKeyIds } from './transitKeyId.js'
import { objectOf } from './vaultClient.js'
import { READ } from './vaultErrors.js'
import type { Send } from './vaultRequests.js'

/** For how long a key that was found right is not looked at again, in milliseconds: some settings can be changed later. */
const BELIEVED = 60 * 60 * 1_000
/** Of how many keys that is known at once; the one that was not used for longest is looked at again. */
const MOST_KEYS = 10_000

type Described = Readonly<Record<string, unknown>>
type Wrong = readonly [wrong: (key: Described) => boolean, because: string]

/** Each of these would let whoever writes the keys table, or holds a token of an operator, know DEKs. */
const WRONGS: readonly Wrong[] = [
  [({ type }) => type !== 'aes256-gcm96', 'is not of the type aes256-gcm96'],
  [
    ({ derived }) => derived !== true,
    'is not derived: Vault would not look at the encryption context, and open the DEK of one tenant for another',
  ],
  [({ exportable }) => exportable !== false, 'is exportable: it can be read out of Vault'],
  [({ allow_plaintext_backup: backup }) => backup !== false, 'allows plaintext backups: it can be read out of Vault'],
  [
    ({ convergent_encryption: convergent }) => convergent === true,
    'encrypts convergently: equal values would have equal ciphertexts',
  ],
]

/** Looks at each transit key at its first use, and every hour: what makes it safe is in its settings. */
export class TransitKeys {
  readonly #call: Call
  readonly #send: Send
  readonly #ids: TransitKeyIds
  readonly #right = new LRUCache<string, Promise<void>>({ max: MOST_KEYS, ttl: BELIEVED })

  constructor({ call, send, ids }: { readonly call: Call; readonly send: Send; readonly ids: TransitKeyIds }) {
    this.#call = call
    this.#send = send
    this.#ids = ids
  }

  /**
   * @param ends when whoever asks must know
   * @throws FieldsealError `KMS_KEY_UNUSABLE` for a key whose settings are not as they must be; that of the request
   */
  async expectRight(kekId: string, ends: number): Promise<void> {
    const checked = this.#right.get(kekId) ?? this.#look(kekId)
    return inTime(checked, ends, () => lateError({ action: READ, keyId: kekId }, this.#ids)).catch((error: unknown) => {
      throw ownError(error)
    })
  }

  #look(kekId: string): Promise<void> {
    const checked = this.#check(kekId)
    this.#right.set(kekId, checked)
    checked.catch(() => {
      if (this.#right.peek(kekId) === checked) this.#right.delete(kekId)
    })
    return checked
  }

  async #check(kekId: string): Promise<void> {
    const { mount, name } = this.#ids.keyOf(kekId)
    const target: Target = { action: READ, keyId: kekId }
    const answer = await this.#call(target, (attempts) =>
      attempts((signal) => this.#send({ method: 'GET', path: `${mount}/keys/${name}` }, signal)),
    )
    const key = objectOf(answer.body.data)
    if (!describesKey(key)) throw callRefused(target, 'does not describe a key')
    if (key.soft_deleted === true)
      throw unusable(
        kekId,
        'was soft-deleted',
        `Restore it: \`bao write -f ${mount}/keys/${name}/soft-delete-restore\`.`,
      )
    const wrong = WRONGS.find(([isWrong]) => isWrong(key))
    if (wrong) throw unusable(kekId, wrong[1], howTo(mount))
  }
}

function describesKey({ type, derived, exportable, allow_plaintext_backup: backup }: Described): boolean {
  return typeof type === 'string' && [derived, exportable, backup].every((setting) => typeof setting === 'boolean')
}

function howTo(mount: string): string {
  const command = `vault write -f ${mount}/keys/NAME type=aes256-gcm96 derived=true`
  return `None of that can be changed: make another key, \`${command}\` (with OpenBao, \`bao write …\`), and give its name as keyId.`
}

function unusable(kekId: string, because: string, next: string): FieldsealError {
  return new FieldsealError('KMS_KEY_UNUSABLE', `The transit key ${kekId} ${because}. ${next}`)
}

/** Begins an operation, whose calls all end when `timeout` is over. */
export type Begin = (action: string, tenant: string) => VaultTarget

export function beginOf({ timeout }: CallLimits): Begin {
  return (action, tenant) => ({ action, keyId: ofTenant(tenant), ends: performance.now() + timeout })
}

/** Finds out which KEK, and looks at it at its first use. */
export type Ready = (target: VaultTarget, kekId: () => Promise<string>) => Promise<string>

export function readyOf(call: Call, keys: TransitKeys): Ready {
  return async (target, find) => {
    const kekId = await call(target, () => find())
    await keys.expectRight(kekId, target.ends)
    return kekId
  }
}
