import { headOf } from '../crypto/ciphertext.js'
import { isDirect } from '../crypto/direct.js'
import type { Place } from '../crypto/engine.js'
import { FLAG_PADDED, type Header } from '../crypto/header.js'
import { isDebugging } from '../debug.js'
import { FieldsealError, quoted } from '../errors.js'
import type { Dek } from '../keys/dek.js'
import { ANY_TENANT, type KeyRing, type TenantScope } from '../keys/keyRing.js'
import type { Purpose } from '../keys/kms.js'
import { GLOBAL_TENANT } from '../tenancy/tenant.js'
import { ActiveNeed } from './activeNeed.js'
import { DirectValues } from './directValues.js'
import { headerOf } from './headers.js'
import { debugKeys } from './passSteps.js'
import {
  type CipherField,
  type CipherIndex,
  type DecryptSlot,
  type EncryptSlot,
  fieldError,
  type IndexSlot,
  named,
  type Slot,
  type TenantHolder,
} from './slot.js'

/** What opens all ciphertexts with one head. */
export class Opener {
  constructor(
    readonly dek: Dek,
    private readonly header: Header,
  ) {}

  place(field: CipherField): Place {
    return this.dek.place(field, (this.header.flags & FLAG_PADDED) !== 0)
  }
}

interface OpenerNeed {
  readonly field: CipherField
  readonly header: Header
  readonly scope: TenantScope
  /** There is none: the KMS itself has encrypted what begins so. */
  readonly direct: boolean
  opener: Opener | undefined
}

/** The keys of one pass, so that no eviction in between can take one away. */
export class PassKeys {
  /** The values that need no DEK, but the KMS itself. */
  readonly direct = new DirectValues()
  readonly #ring: KeyRing
  readonly #actives = new Map<string, ActiveNeed>()
  readonly #openers = new Map<string, OpenerNeed>()

  /** The last active key asked for: consecutive slots mostly want the same. */
  #last: { owner: TenantHolder; index: CipherIndex | undefined; need: ActiveNeed } | undefined

  /** What each slot to decrypt needs, by its place in the pass. */
  readonly #bySlot: OpenerNeed[] = []
  /** The last head that was met: comparing with it is cheaper than looking one up. */
  #lastHead = ''
  #lastNeed: OpenerNeed | undefined

  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  need(slot: Slot, position: number): void {
    if (slot.mode === 'decrypt') this.#needOpener(slot, position)
    else if (slot.mode === 'encrypt' && slot.field.direct) this.direct.seal(slot, position)
    else this.#needActive(slot).count += 1
  }

  #needActive(slot: EncryptSlot | IndexSlot): ActiveNeed {
    const index = slot.mode === 'index' ? slot.index : undefined
    const last = this.#last
    if (last && last.owner === slot.owner && last.index === index) return last.need
    const { tenant, purpose } = activeOf(slot)
    const name = `${purpose} ${tenant}`
    let need = this.#actives.get(name)
    if (!need) {
      need = new ActiveNeed(slot.field, tenant, purpose)
      this.#actives.set(name, need)
    }
    this.#last = { owner: slot.owner, index, need }
    return need
  }

  #needOpener(slot: DecryptSlot, position: number): void {
    const need = this.#openerNeed(slot)
    if (need.direct) this.direct.open(slot, position, need.header)
    else this.#bySlot[position] = need
  }

  #openerNeed(slot: DecryptSlot): OpenerNeed {
    const stored = slot.holder[slot.key]
    if (this.#lastNeed && typeof stored === 'string' && stored.startsWith(this.#lastHead)) return this.#lastNeed
    const head = headOf(stored)
    const known = head === null ? undefined : this.#openers.get(head)
    const need = known ?? this.#addHead(slot, head!, readHeader(slot.field, head))
    this.#lastHead = head!
    this.#lastNeed = need
    return need
  }

  #addHead(slot: DecryptSlot, head: string, header: Header): OpenerNeed {
    const direct = isDirect(header)
    const dek = direct ? undefined : this.#ring.cached(header.dekId)
    const opener = dek && new Opener(dek, header)
    const { tenant, column } = slot.owner
    // Of rows that say themselves whose they are, each is held against its own tenant when the DEK is there.
    const scope = column === undefined ? tenant! : ANY_TENANT
    const need: OpenerNeed = { field: slot.field, header, scope, direct, opener }
    this.#openers.set(head, need)
    return need
  }

  /** Takes what is in memory, and says whether that is all. */
  complete(): boolean {
    let complete = this.direct.isEmpty
    for (const need of this.#actives.values()) complete = need.take(this.#ring) && complete
    for (const { direct, opener } of this.#openers.values()) complete &&= direct || opener !== undefined
    if (isDebugging) this.#debug()
    return complete
  }

  #debug(): void {
    const openers = [...this.#openers.values()].filter(({ direct }) => !direct)
    const held = [...this.#actives.values(), ...openers].map((need) =>
      'isTaken' in need ? need.isTaken : need.opener !== undefined,
    )
    debugKeys({ held: held.filter(Boolean).length, missing: held.filter((isHeld) => !isHeld).length })
  }

  /** Gets the keys that are not in memory, all at once. */
  async resolve(): Promise<void> {
    const actives = [...this.#actives.values()].filter((need) => !need.take(this.#ring))
    const heads = [...this.#openers.values()].filter(({ direct, opener }) => !direct && !opener)
    await Promise.all([this.#resolveActives(actives), this.#resolveHeads(heads)])
  }

  /** Has the KMS work on the values that need it. */
  async resolveDirect(): Promise<void> {
    if (!this.direct.isEmpty) await this.direct.resolve(this.#ring.valueKms)
  }

  async #resolveActives(missing: readonly ActiveNeed[]): Promise<void> {
    await Promise.all(missing.map((need) => named(need.field.name, need.resolve(this.#ring))))
  }

  async #resolveHeads(missing: readonly OpenerNeed[]): Promise<void> {
    const scope = missing[0]?.scope
    if (scope === undefined) return
    const ids = [...new Set(missing.map(({ header }) => header.dekId))]
    const outcomes = this.#ring.loadEach(ids, scope)
    const deks = new Map(ids.map((id, i) => [id, outcomes[i]!]))
    await Promise.all(
      missing.map(async (need) => {
        const dek = await named(need.field.name, deks.get(need.header.dekId)!)
        need.opener = new Opener(dek, need.header)
      }),
    )
  }

  /** The DEK for this slot's value; to be asked once for each slot. */
  active(slot: EncryptSlot | IndexSlot): Dek {
    return this.#needActive(slot).draw()
  }

  opener(slot: DecryptSlot, position: number): Opener {
    return inScope(slot, this.#bySlot[position]!.opener!)
  }

  /** What opens a slot that was not asked for by `need`, if it is in memory. */
  openerNow(slot: DecryptSlot): Opener | undefined {
    const { opener } = this.#openerNeed(slot)
    return opener && inScope(slot, opener)
  }
}

function inScope(slot: DecryptSlot, opener: Opener): Opener {
  const { tenant, column } = slot.owner
  if (tenant === ANY_TENANT || opener.dek.tenant === tenant) return opener
  const where = column === undefined ? '' : `, which ${column} of its row names`
  const advice =
    column === undefined
      ? 'filter by tenant in your query'
      : 'one of the two was changed; compare the row with a backup'
  const message = `${slot.field.name} is encrypted for another tenant than ${quoted(tenant)}${where}: ${advice}`
  throw new FieldsealError('TENANT_MISMATCH', message)
}

function readHeader(field: CipherField, head: string | null): Header {
  const header = head === null ? null : headerOf(head)
  if (header) return header
  throw fieldError('CIPHERTEXT_INVALID', field, 'holds something that is not a ciphertext of this library')
}

function activeOf(slot: EncryptSlot | IndexSlot): { tenant: string; purpose: Purpose } {
  if (slot.mode === 'index' && slot.index.scope === 'global') return { tenant: GLOBAL_TENANT, purpose: 'index' }
  return { tenant: slot.owner.tenant as string, purpose: slot.mode === 'index' ? 'index' : 'encrypt' }
}
