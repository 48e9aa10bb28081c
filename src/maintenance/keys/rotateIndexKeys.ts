import {
  BOOLEAN,
  checkArguments,
  checkCallOptions,
  FUNCTION,
  type Kinds,
  NUMBER,
  OBJECT,
  POOL,
  SIGNAL,
  TEXT,
  TEXTS_BY_NAME,
} from '../../callArguments.js'
import { invalidOptions } from '../../invalidOptions.js'
import { checkTenant } from '../../tenancy/tenant.js'
import type { MaintainContext } from '../planRuns.js'
import { uniquelyIndexed } from '../postgres/uniqueIndexes.js'
import { type Indexes, indexesOf } from './indexesOfScopes.js'
import { IndexRotation } from './indexRotation.js'
import type { IndexRotationReport, RotateIndexKeysOptions } from './indexRotationOptions.js'

export type { IndexRotationReport, IndexRotationStep, RotateIndexKeysOptions } from './indexRotationOptions.js'

const invalid = invalidOptions('rotateIndexKeys:')

const KINDS: Kinds = {
  database: POOL,
  tenant: TEXT,
  tenants: TEXTS_BY_NAME,
  settle: NUMBER,
  pauseUniqueWrites: BOOLEAN,
  rowsPerSecond: NUMBER,
  maxLag: OBJECT,
  workers: OBJECT,
  signal: SIGNAL,
  onStep: FUNCTION,
  onProgress: FUNCTION,
  onProblem: FUNCTION,
  onWait: FUNCTION,
  onFailure: FUNCTION,
}

/**
 * Replaces the keys for indexes beside a running app: at no moment does a search miss a row. What is done is written in the
 * keys table, so that a call that was broken off is begun again and goes on. docs/operations.md has the states.
 *
 * @throws FieldsealError `OPTIONS_INVALID` where a unique blind index stands against it
 */
export async function rotateIndexKeys(
  context: MaintainContext,
  options: RotateIndexKeysOptions,
): Promise<IndexRotationReport> {
  checkCallOptions('rotateIndexKeys', options, KINDS)
  checkArguments('rotateIndexKeys', { database: options.database }, { database: POOL })
  if (options.tenant !== undefined) checkTenant(options.tenant)
  if (!((options.settle ?? 0) >= 0)) throw invalid('"settle" must be a number from 0 on')
  const indexes = indexesOf(context.schema, options.tenant)
  checkIndexes(indexes, options)
  await checkDatabase(indexes, options)
  return new IndexRotation(context, options, indexes).run()
}

/** What the schema does not know to be unique, processes would go on writing. */
async function checkDatabase({ free }: Indexes, { database }: RotateIndexKeysOptions): Promise<void> {
  const unique = await uniquelyIndexed(database, free)
  if (unique.length === 0) return
  throw invalid(
    `in the database ${unique.map(({ name }) => name).join(', ')} ${unique.length === 1 ? 'is' : 'are'} in a unique index or an ` +
      'exclusion constraint that the schema does not have: declare it there and deploy that first, so that your app does not ' +
      'write a value twice meanwhile, or drop it',
  )
}

function checkIndexes({ scopes, uniqueNames }: Indexes, { pauseUniqueWrites }: RotateIndexKeysOptions): void {
  if (scopes.size === 0) throw invalid('the schema has no index under such keys')
  if (uniqueNames.length === 0 || pauseUniqueWrites) return
  throw invalid(
    `${uniqueNames.join(', ')} ${uniqueNames.length === 1 ? 'is' : 'are'} in a unique constraint, which tells apart only what ` +
      'one key makes: while rows are changed one by one, such an index must not be written, nor name a row. Give ' +
      '"pauseUniqueWrites" (--pause-unique-writes) if your app can take it that this is refused for a while',
  )
}
