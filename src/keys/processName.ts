import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** A name for this process among those that share a keys table, another one after a restart with the same id. */
export function processName(): string {
  return `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`
}
