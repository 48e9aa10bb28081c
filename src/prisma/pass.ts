import type { Slot } from '../cipher.js'
import type { OperationTenancy } from './tenancy.js'

/** What one operation transforms before its SQL, and for whom. */
export interface Pass {
  readonly slots: Slot[]
  readonly tenancy: OperationTenancy
}
