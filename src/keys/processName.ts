import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

/** Names this process among those that share a keys table, also after a restart with the same process id. */
export const PROCESS_NAME = `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`
