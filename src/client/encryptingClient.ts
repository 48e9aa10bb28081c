import { isDebugging } from '../debug.js'
import { DekCache } from '../keys/cache/dekCache.js'
import { debugEvent } from '../keys/debugEvents.js'
import { type CacheFigures, emitTo } from '../keys/events.js'
import { KeyRing } from '../keys/keyRing.js'
import type { KeyStore } from '../keys/keyStore.js'
import type { KeyTraces } from '../keys/keyTraces.js'
import { openKms } from '../keys/kmsOfStore.js'
import { KeyNotifications } from '../keys/notifications/keyNotifications.js'
import { observedKms } from '../keys/observedKms.js'
import { LimitedPlans } from '../plan/limitedPlans.js'
import type { Plans } from '../plan/plan.js'
import { ambientBinding } from './clientBinding.js'
import type { ClientContext } from './clientContext.js'
import { checkDirectFields, directFields } from './directFields.js'
import { tellEngineFallback } from './engineFallback.js'
import { type KeyOperations, keyOperations } from './keyOperations.js'
import { baitOf, type FieldEncryptionOptions, keySettings } from './options.js'
import { tenantFormOf } from './tenantForm.js'
import type { Wording } from './wording.js'

/** What an ORM gives of its own to a client that encrypts. */
export interface OrmParts {
  readonly store: KeyStore & {
    /** Whether the keys table has not answered yet. */
    readonly isWaiting: () => boolean
  }
  readonly traces: KeyTraces
  /** Compiles the plans of all models, for clients that may read all or the fields in `allow`. */
  readonly compile: (allow?: ReadonlySet<string>) => Plans
  readonly plainValue: ClientContext['plainValue']
  readonly wording: Wording
}

/** A client's keys and plans, which all clients bound from it share. */
export interface EncryptingClient {
  readonly context: ClientContext
  readonly keys: KeyOperations
  readonly figures: () => CacheFigures
}

/**
 * Puts together what a client that encrypts works with: key ring, cache, notifications and plans. Both ORMs call it once
 * for each client or data source.
 *
 * @param options checked by `checkOptions`
 * @throws FieldsealError `OPTIONS_INVALID` when the KMS cannot do what the schema asks of it
 */
export function encryptingClient(options: FieldEncryptionOptions, orm: OrmParts): EncryptingClient {
  const { schema, tenant, defaultTenant, keys, telemetry, audit } = options
  const { store, traces, plainValue, wording } = orm
  const emit = emitTo([options.onEvent, telemetry?.onEvent])
  const { ttl, max, staleFor, transactionWait, ...rotation } = keySettings(keys)
  const cache = new DekCache({ ttl, max, staleFor })
  const told = isDebugging ? emitTo([emit, debugEvent]) : emit
  const observation = {
    emit: told,
    around: telemetry?.around,
    onRotated: (tenant: string) => notifications.rotated(tenant),
  }
  const kms = openKms(options.kms, store, observation)
  checkDirectFields(schema, kms)
  tellEngineFallback(told)
  const ring = new KeyRing({ kms, store, cache, traces, rotation, observation })
  const notifications = new KeyNotifications(kms.holder ? [ring.held, kms.holder] : [ring.held], keys?.notify)
  const plans = orm.compile()
  const context: ClientContext = {
    plans,
    limited: new LimitedPlans(plans, orm.compile),
    ring,
    keyStoreWaits: store.isWaiting,
    clientBinding: ambientBinding,
    tenancy: { tenant, defaultTenant, form: tenantFormOf(schema), wording },
    transactionWait,
    auditTrail: emit || audit ? { emit, audit, bait: baitOf(options) } : undefined,
    plainValue,
  }
  const figures = () => ({ cachedDeks: cache.size, cacheHits: cache.hits, cacheMisses: cache.misses })
  const operations = keyOperations({
    schema,
    kms: observedKms(kms, observation),
    ring,
    store,
    notifications,
    emit,
    keyMemoryTime: ttl + staleFor,
    directFields: directFields(schema),
  })
  return { context, figures, keys: operations }
}
