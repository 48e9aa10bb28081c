import { AwsApiError } from './awsApiError.js'
import { type AwsKey, replicaOf } from './awsKey.js'
import { type AwsAlias, AwsKeys } from './awsKeys.js'

export interface AwsAccountOptions {
  /** Twelve digits; 111122223333 unless given. */
  readonly accountId?: string
  readonly now?: () => number
  /** Called after each change. */
  readonly changed?: (account: AwsAccount) => void
}

/** What an account has in one region. */
export interface AwsRegionContent {
  readonly region: string
  readonly keys: readonly AwsKey[]
  readonly aliases: readonly AwsAlias[]
}

/**
 * An AWS account: its keys in all regions. Emulators of several regions that are given the same one share multi-Region
 * keys, as primaries and replicas.
 */
export class AwsAccount {
  readonly accountId: string
  readonly now: () => number
  readonly #changed: (account: AwsAccount) => void
  readonly #regions = new Map<string, AwsKeys>()

  constructor({ accountId = '111122223333', now = Date.now, changed = () => undefined }: AwsAccountOptions = {}) {
    this.accountId = accountId
    this.now = now
    this.#changed = changed
  }

  get regions(): readonly AwsRegionContent[] {
    return [...this.#regions].map(([region, { list, aliases }]) => ({ region, keys: list, aliases }))
  }

  region(region: string): AwsKeys {
    const known = this.#regions.get(region)
    if (known) return known
    const place = { accountId: this.accountId, region }
    const keys = new AwsKeys({ place, now: this.now, changed: () => this.#changed(this) })
    this.#regions.set(region, keys)
    return keys
  }

  /** The keys of all regions that are one multi-Region key, the primary first. */
  family({ keyId, primaryRegion }: AwsKey): readonly AwsKey[] {
    const related = this.regions.flatMap(({ keys }) => keys.filter((each) => each.keyId === keyId))
    return related.sort((one) => (one.region === primaryRegion ? -1 : 1))
  }

  /** @throws AwsApiError `UnsupportedOperationException` for a key that is no primary */
  replicate(key: AwsKey, region: string, description = ''): AwsKey {
    if (key.primaryRegion !== key.region)
      throw new AwsApiError('UnsupportedOperationException', `${key.arn} is not a multi-region primary key.`)
    const place = { accountId: this.accountId, region }
    return this.region(region).add(replicaOf(key, place, description, this.now()))
  }
}
