import { randomBytes } from 'node:crypto'
import { ApiError } from './apiError.js'
import { blobKeyOf, type Cmk, type CmkState, newCmk, unseal } from './cmk.js'

const ALIAS = /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/

/** How a state changes, from which states it may, and what the API answers otherwise. */
const TRANSITIONS = {
  enable: { from: ['Disabled', 'Enabled'], to: 'Enabled', refusal: 'CmkStateNotSupport' },
  disable: { from: ['Enabled', 'Disabled'], to: 'Disabled', refusal: 'CmkStateNotSupport' },
  archive: { from: ['Enabled'], to: 'Archived', refusal: 'CmkStateNotSupport' },
  cancelArchive: { from: ['Archived'], to: 'Enabled', refusal: 'CmkNotArchived' },
  scheduleDeletion: { from: ['Disabled'], to: 'PendingDelete', refusal: 'CmkShouldBeDisabled' },
  cancelDeletion: { from: ['PendingDelete'], to: 'Disabled', refusal: 'CmkNotPendingDelete' },
} as const satisfies Record<string, { from: readonly CmkState[]; to: CmkState; refusal: string }>

export type Transition = keyof typeof TRANSITIONS

/** The CMKs of the emulator. */
export class Cmks {
  readonly #cmks = new Map<string, Cmk>()
  readonly #now: () => number
  readonly #changed: (cmks: readonly Cmk[]) => void

  /** `changed` is called after each change, with all CMKs. */
  constructor(options: { now: () => number; initial?: readonly Cmk[]; changed?: (cmks: readonly Cmk[]) => void }) {
    this.#now = options.now
    this.#changed = options.changed ?? (() => undefined)
    for (const cmk of options.initial ?? []) this.#cmks.set(cmk.keyId, cmk)
  }

  /** Oldest first. */
  get list(): readonly Cmk[] {
    this.#deleteDue()
    return [...this.#cmks.values()]
  }

  create(options: { alias: string; keyId?: string; description?: string }): Cmk {
    this.#checkAlias(options.alias)
    const cmk = newCmk({ ...options, now: this.#now() })
    this.#cmks.set(cmk.keyId, cmk)
    this.#save()
    return cmk
  }

  find(keyId: string): Cmk {
    this.#deleteDue()
    const cmk = this.#cmks.get(keyId)
    if (!cmk) throw new ApiError('ResourceUnavailable.CmkNotFound', 'The CMK does not exist.')
    return cmk
  }

  /** A CMK that may encrypt. */
  forEncryption(keyId: string): Cmk {
    const cmk = this.#forDecryption(keyId)
    if (cmk.state === 'Archived') throw new ApiError('ResourceUnavailable.CmkArchived', 'The CMK is archived.')
    return cmk
  }

  open(blob: string, context: string): { cmk: Cmk; version: number; plaintext: Buffer } {
    const { keyId, version } = blobKeyOf(blob)
    const cmk = this.#forDecryption(keyId)
    return { cmk, version, plaintext: unseal(cmk, blob, context) }
  }

  /** @throws ApiError `ResourceUnavailable.*` when the CMK is in a state that does not allow it */
  change(keyId: string, transition: Transition): Cmk {
    const cmk = this.find(keyId)
    const { from, to, refusal } = TRANSITIONS[transition]
    if (!(from as readonly CmkState[]).includes(cmk.state)) {
      throw new ApiError(`ResourceUnavailable.${refusal}`, `The CMK is ${cmk.state}.`)
    }
    return this.update(keyId, { state: to })
  }

  /** Adds a version: new ciphertexts are made with it, older ones stay readable. */
  rotate(keyId: string): Cmk {
    const cmk = this.forEncryption(keyId)
    cmk.versions.push(randomBytes(32))
    return this.update(keyId, { lastRotateTime: Math.floor(this.#now() / 1000) })
  }

  update(keyId: string, change: Partial<Omit<Cmk, 'keyId' | 'versions' | 'createTime'>>): Cmk {
    const cmk = this.find(keyId)
    if (change.alias !== undefined && change.alias !== cmk.alias) this.#checkAlias(change.alias)
    Object.assign(cmk, change)
    this.#save()
    return cmk
  }

  #forDecryption(keyId: string): Cmk {
    const cmk = this.find(keyId)
    switch (cmk.state) {
      case 'Enabled':
      case 'Archived':
        return cmk
      case 'Disabled':
        throw new ApiError('ResourceUnavailable.CmkDisabled', 'The CMK is disabled.')
      case 'PendingDelete':
        throw new ApiError('ResourceUnavailable.KeyPendingDelete', 'The CMK is pending deletion.')
      case 'PendingImport':
        throw new ApiError('ResourceUnavailable.CmkStateNotSupport', 'The CMK has no key material yet.')
    }
  }

  #checkAlias(alias: string): void {
    if (!ALIAS.test(alias)) throw new ApiError('InvalidParameterValue.InvalidAlias', 'The alias is not valid.')
    if (this.list.some((cmk) => cmk.alias === alias)) {
      throw new ApiError('InvalidParameterValue.AliasAlreadyExists', 'Another CMK has this alias.')
    }
  }

  #deleteDue(): void {
    const due = [...this.#cmks.values()].filter(
      (cmk) => cmk.state === 'PendingDelete' && cmk.deletionDate > 0 && cmk.deletionDate * 1000 <= this.#now(),
    )
    for (const cmk of due) this.#cmks.delete(cmk.keyId)
    if (due.length > 0) this.#save()
  }

  #save(): void {
    this.#changed([...this.#cmks.values()])
  }
}
