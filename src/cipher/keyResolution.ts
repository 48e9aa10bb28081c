import { headOf } from '../crypto/ciphertext.js'
import { isDirect } from '../crypto/direct.js'
import type { Place } from '../crypto/engine.js'
import { FLAG_PADDED, type Header } from '../crypto/header.js'
import { isDebugging } from '../debug.js'
import { FieldsealError, quoted } from '../errors.js'
import type { Dek } from '../keys/dek.js'
import type { KeyRing } from '../keys/keyRing.js'
import type { Purpose } from '../keys/kms.js'
import { ANY_TENANT, type TenantScope } from '../tenancy/scope.js'
import { GLOBAL_TENANT } from '../tenancy/tenant.js'
import { ActiveKeyRequest } from './activeKeyRequest.js'
import { DirectValues } from './directValues.js'
import { headerOf } from './headers.js'
import { debugKeys } from './passSteps.js'
import {
  type ActiveSlot,
  type CipherField,
  type CipherIndex,
  type DecryptSlot,
  fieldError,
  prefixErrors,
  type Slot,
  type TenantHolder,
} from './slot.js'
import type { CipherTokenIndex } from './tokenIndex.js'

type ActiveIndex = CipherIndex | CipherTokenIndex

/** What opens all ciphertexts with one head. */
export class DecryptionKey {
  constructor(
    readonly dek: Dek,
    private readonly header: Header,
  ) {}

  place(field: CipherField): Place {
    return this.dek.place(field, (this.header.flags & FLAG_PADDED) !== 0)
  }
}

interface DecryptionRequest {
  readonly field: CipherField
  readonly header: Header
  readonly scope: TenantScope
  /** There is none: the KMS itself has encrypted what begins so. */
  readonly direct: boolean
  decryptionKey: DecryptionKey | undefined
}

/** The keys of one pass, so that no eviction in between can take one away. */
export class KeyResolution {
  #direct: DirectValues | undefined
  readonly #ring: KeyRing
  readonly #activeRequests = new Map<string, ActiveKeyRequest>()
  readonly #decryptionRequests = new Map<string, DecryptionRequest>()

  /** The last active key asked for: consecutive slots mostly want the same. */
  #last: { owner: TenantHolder; index: ActiveIndex | undefined; request: ActiveKeyRequest } | undefined

  /** What each slot to decrypt needs, by its place in the pass. */
  readonly #bySlot: DecryptionRequest[] = []
  /** The last head that was met: comparing with it is cheaper than looking one up. */
  #lastHead = ''
  #lastRequest: DecryptionRequest | undefined

  constructor(ring: KeyRing) {
    this.#ring = ring
  }

  /** The values that need no DEK, but the KMS itself; `undefined` while there is none. */
  get direct(): DirectValues | undefined {
    return this.#direct
  }

  #needDirect(): DirectValues {
    this.#direct ??= new DirectValues()
    return this.#direct
  }

  request(slot: Slot, position: number): void {
    if (slot.mode === 'decrypt') this.#requestDecryption(slot, position)
    else if (slot.mode === 'encrypt' && slot.field.direct) this.#needDirect().seal(slot, position)
    else this.#requestActive(slot).count += 1
  }

  #requestActive(slot: ActiveSlot): ActiveKeyRequest {
    const index = slot.mode === 'encrypt' ? undefined : slot.index
    const last = this.#last
    if (last && last.owner === slot.owner && last.index === index) return last.request
    const { tenant, purpose } = activeKeyOf(slot)
    const name = `${purpose} ${tenant}`
    let request = this.#activeRequests.get(name)
    if (!request) {
      request = new ActiveKeyRequest(slot.field, tenant, purpose)
      this.#activeRequests.set(name, request)
    }
    this.#last = { owner: slot.owner, index, request }
    return request
  }

  #requestDecryption(slot: DecryptSlot, position: number): void {
    const request = this.#decryptionRequest(slot)
    if (request.direct) this.#needDirect().open(slot, position, request.header)
    else this.#bySlot[position] = request
  }

  #decryptionRequest(slot: DecryptSlot): DecryptionRequest {
    const stored = slot.holder[slot.key]
    if (this.#lastRequest && typeof stored === 'string' && stored.startsWith(this.#lastHead)) return this.#lastRequest
    const head = headOf(stored)
    const known = head === null ? undefined : this.#decryptionRequests.get(head)
    const request = known ?? this.#addHead(slot, head!, readHeader(slot.field, head))
    this.#lastHead = head!
    this.#lastRequest = request
    return request
  }

  #addHead(slot: DecryptSlot, head: string, header: Header): DecryptionRequest {
    const direct = isDirect(header)
    const dek = direct ? undefined : this.#ring.loaded.cached(header.dekId)
    const decryptionKey = dek && new DecryptionKey(dek, header)
    const { tenant, column } = slot.owner
    // Of rows that say themselves whose they are, each is held against its own tenant when the DEK is there.
    const scope = column === undefined ? tenant! : ANY_TENANT
    const request: DecryptionRequest = { field: slot.field, header, scope, direct, decryptionKey }
    this.#decryptionRequests.set(head, request)
    return request
  }

  /** Takes what is in memory, and says whether that is all. */
  takeCached(): boolean {
    let complete = this.#direct === undefined
    for (const request of this.#activeRequests.values()) complete = request.takeCached(this.#ring.active) && complete
    for (const { direct, decryptionKey } of this.#decryptionRequests.values())
      complete &&= direct || decryptionKey !== undefined
    if (isDebugging) this.#debug()
    return complete
  }

  #debug(): void {
    const decryption = [...this.#decryptionRequests.values()].filter(({ direct }) => !direct)
    const held = [
      ...[...this.#activeRequests.values()].map(({ isTaken }) => isTaken),
      ...decryption.map(({ decryptionKey }) => decryptionKey !== undefined),
    ]
    debugKeys({ held: held.filter(Boolean).length, missing: held.filter((isHeld) => !isHeld).length })
  }

  /** Gets the keys that are not in memory, all at once. */
  async resolve(): Promise<void> {
    const actives = [...this.#activeRequests.values()].filter((request) => !request.takeCached(this.#ring.active))
    const heads = [...this.#decryptionRequests.values()].filter(
      ({ direct, decryptionKey }) => !direct && !decryptionKey,
    )
    await Promise.all([this.#resolveActives(actives), this.#resolveHeads(heads)])
  }

  /** Has the KMS work on the values that need it. */
  async resolveDirect(): Promise<void> {
    await this.#direct?.resolve(this.#ring.valueKms)
  }

  async #resolveActives(missing: readonly ActiveKeyRequest[]): Promise<void> {
    await Promise.all(missing.map((request) => prefixErrors(request.field.name, request.resolve(this.#ring.active))))
  }

  async #resolveHeads(missing: readonly DecryptionRequest[]): Promise<void> {
    const scope = missing[0]?.scope
    if (scope === undefined) return
    const ids = [...new Set(missing.map(({ header }) => header.dekId))]
    const outcomes = this.#ring.loaded.loadEach(ids, scope)
    const deks = new Map(ids.map((id, i) => [id, outcomes[i]!]))
    await Promise.all(
      missing.map(async (request) => {
        const dek = await prefixErrors(request.field.name, deks.get(request.header.dekId)!)
        request.decryptionKey = new DecryptionKey(dek, request.header)
      }),
    )
  }

  /** The DEK for this slot's value; to be asked once for each slot. */
  activeDek(slot: ActiveSlot): Dek {
    return this.#requestActive(slot).draw()
  }

  decryptionKey(slot: DecryptSlot, position: number): DecryptionKey {
    return checkedScope(slot, this.#bySlot[position]!.decryptionKey!)
  }

  /** The key of a slot that was not asked for by `request`, if it is in memory. */
  cachedDecryptionKey(slot: DecryptSlot): DecryptionKey | undefined {
    const { decryptionKey } = this.#decryptionRequest(slot)
    return decryptionKey && checkedScope(slot, decryptionKey)
  }
}

function checkedScope(slot: DecryptSlot, decryptionKey: DecryptionKey): DecryptionKey {
  const { tenant, column } = slot.owner
  if (tenant === ANY_TENANT || decryptionKey.dek.tenant === tenant) return decryptionKey
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

/** Whose active key a slot needs, and of which kind. */
export function activeKeyOf(slot: ActiveSlot): { tenant: string; purpose: Purpose } {
  const tenant = slot.owner.tenant as string
  if (slot.mode === 'encrypt') return { tenant, purpose: 'encrypt' }
  return { tenant: slot.index.scope === 'global' ? GLOBAL_TENANT : tenant, purpose: 'index' }
}
