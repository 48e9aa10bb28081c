import type { KeyRing } from '../keys/keyRing.js'
import type { LimitedPlans } from '../plan/limitedPlans.js'
import type { FieldPlan, Plans } from '../plan/plan.js'
import type { AuditTrail } from './audit.js'
import type { BindingSource } from './clientBinding.js'
import type { TenancyOptions } from './operationTenancy.js'

/** What every operation of one encrypting client shares, whatever its ORM. */
export interface ClientContext {
  /** Of clients that may read everything. */
  readonly plans: Plans
  readonly limited: LimitedPlans
  readonly ring: KeyRing
  readonly clientBinding: BindingSource
  readonly tenancy: TenancyOptions
  /** Milliseconds; see `KeyOptions.transactionWait`. */
  readonly transactionWait: number
  /** Whether the keys table has not answered yet. */
  readonly keyStoreWaits: () => boolean
  readonly auditTrail: AuditTrail | undefined
  /** What a value of the ORM's own, such as its marks of null in JSON, stands for. */
  readonly plainValue: (field: FieldPlan, value: unknown) => unknown
}
