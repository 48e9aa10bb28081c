import type { DekIdentity, WrappedDek } from '../../keys/kms.js'
import type { KekIds } from '../call/kekIds.js'
import { isSameKey } from './keyIdentifier.js'

/**
 * The key that a row says, as the options name it: AWS is asked with that name, never with what the row says. A multi-Region
 * key which a process in another region wrote is the one of this region.
 *
 * @throws FieldsealError `KMS_KEY_UNUSABLE` for a DEK under a KEK that is none of the tenant's
 */
export async function ownKeyOf(kekIds: KekIds, wrapped: WrappedDek, identity: DekIdentity): Promise<string> {
  const known = await kekIds.all(identity.tenant)
  const own = known.find((named) => named === wrapped.kekId || isSameKey(named, wrapped.kekId))
  if (own === undefined) await kekIds.expectOwn(wrapped, identity)
  return own ?? wrapped.kekId
}
