import type { Slot } from '../cipher/cipher.js'
import type { OperationTenancy } from './operationTenancy.js'

/** What one operation transforms before its SQL, and for whom. */
export interface Pass {
  readonly slots: Slot[]
  readonly tenancy: OperationTenancy
}
