import { FieldsealError } from '../../errors.js'
import type { LoadedKeys } from '../../keys/cache/loadedKeys.js'
import type { Dek } from '../../keys/dek.js'
import { ANY_TENANT } from '../../tenancy/scope.js'
import type { ActiveDeks } from './activeDeks.js'
import { isRowProblem } from './problem.js'

type Settled<T> = { readonly value: T } | { readonly error: FieldsealError }

/**
 * The keys of one batch. Those that cannot be had are known before the rows are touched, with one question for all of
 * them: a tenant whose keys are destroyed must not cost a query per row.
 */
export class RunKeys {
  readonly #loaded: LoadedKeys
  readonly #activeDeks: ActiveDeks
  readonly #owners = new Map<string, Settled<string>>()
  readonly #actives = new Map<string, Settled<string>>()

  constructor(loaded: LoadedKeys, activeDeks: ActiveDeks) {
    this.#loaded = loaded
    this.#activeDeks = activeDeks
  }

  /** @throws FieldsealError for what is no row's fault */
  async loadOwners(dekIds: Iterable<string>): Promise<void> {
    const missing = [...new Set(dekIds)].filter((id) => !this.#owners.has(id))
    const deks = this.#loaded.loadEach(missing, ANY_TENANT)
    const owner = async (dek: Dek | Promise<Dek>) => (await dek).tenant
    await collectSettled(this.#owners, missing, (_, position) => owner(deks[position]!))
  }

  /** Brings the tenants' active DEKs into memory; makes those that do not exist. */
  async loadActives(tenants: Iterable<string>): Promise<void> {
    const missing = [...new Set(tenants)].filter((tenant) => !this.#actives.has(tenant))
    await collectSettled(this.#actives, missing, (tenant) => this.#activeDeks.of(tenant))
  }

  /** The tenant of a DEK; throws why it cannot be used. */
  ownerOf(dekId: string): string {
    return settledValue(this.#owners.get(dekId)!)
  }

  /** The id of a tenant's active DEK; throws why there is none. */
  activeOf(tenant: string): string {
    return settledValue(this.#actives.get(tenant)!)
  }
}

async function collectSettled<T>(
  into: Map<string, Settled<T>>,
  names: readonly string[],
  get: (name: string, position: number) => Promise<T>,
): Promise<void> {
  const outcomes = await Promise.allSettled(names.map(get))
  outcomes.forEach((outcome, position) => {
    if (outcome.status === 'fulfilled') into.set(names[position]!, { value: outcome.value })
    else if (isRowProblem(outcome.reason)) into.set(names[position]!, { error: outcome.reason })
    else throw outcome.reason
  })
}

function settledValue<T>(outcome: Settled<T>): T {
  if ('value' in outcome) return outcome.value
  throw new FieldsealError(outcome.error.code, outcome.error.message, { cause: outcome.error })
}
