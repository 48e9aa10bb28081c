import type { Engine } from './batch.js'
import { nodeEngine } from './nodeEngine.js'

/** The engine that works on values in this process. */
export function currentEngine(): Engine {
  return nodeEngine
}
