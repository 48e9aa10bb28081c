import type { MaxLag } from '../rows/pressure.js'
import type { RunKey } from './runKey.js'

/** How workers are to do a run, as the command says that takes it up. What is to be done, the run itself says. */
export interface WorkOrder {
  /** Rises with each command that takes the run up, so that an older order is known for one. */
  readonly issue: number
  /** Into how many ranges the run is divided. */
  readonly ranges: number
  readonly onError: 'skip' | 'stop'
  /** Of all workers together. */
  readonly rowsPerSecond?: number | undefined
  readonly maxLag?: MaxLag | undefined
}

/** An order as it is kept: its authentication code, a dot, and its JSON. */
export function textOfOrder(key: RunKey, order: WorkOrder): string {
  const text = JSON.stringify(order)
  return `${key.mac('order', text)}.${text}`
}

/** `null` for one that was not made with the key of the run. */
export function orderIn(key: RunKey, kept: string): WorkOrder | null {
  const dot = kept.indexOf('.')
  const text = kept.slice(dot + 1)
  return key.isMac(kept.slice(0, Math.max(0, dot)), 'order', text) ? (JSON.parse(text) as WorkOrder) : null
}
