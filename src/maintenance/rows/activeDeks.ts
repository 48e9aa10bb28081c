import type { KeyRing } from '../../keys/keyRing.js'

/**
 * Tells a run which DEKs are active. A process that has been there for long may have one in memory that a rotation has
 * retired since, and a run that is begun after it must not take that for active.
 */
export class ActiveDeks {
  readonly #ring: KeyRing
  readonly #known: ReadonlySet<string> | null
  readonly #seen = new Set<string>()

  /** @param known those that were active when the run began; `null` when they were not looked at */
  constructor(ring: KeyRing, known: ReadonlySet<string> | null) {
    this.#ring = ring
    this.#known = known
  }

  /**
   * The id of a tenant's active DEK, which is made if there is none.
   *
   * @throws FieldsealError as `ActiveKeys.get`
   */
  async of(tenant: string): Promise<string> {
    if (!this.#seen.has(tenant)) this.#refresh(tenant)
    return (await this.#ring.active.get(tenant, 'encrypt')).id
  }

  #refresh(tenant: string): void {
    this.#seen.add(tenant)
    const held = this.#ring.active.cached(tenant, 'encrypt')
    if (held && !this.#known?.has(held.id)) this.#ring.held.retire(tenant)
  }
}
