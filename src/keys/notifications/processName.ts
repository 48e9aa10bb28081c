import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** A name for this process among those that share a keys table, another one after a restart with the same id. */
export function processName(): string {
  return `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`
}

/** Whether a text that somebody sent may be such a name, and is safe to print. */
export function isProcessName(text: string): boolean {
  return /^[\w.-]{1,253}:\d{1,10}:[0-9a-f]{6}$/.test(text)
}
