import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** Where a server listens. */
export interface Listener {
  /** `127.0.0.1:<port>`, as a client can reach it. */
  readonly endpoint: string
  readonly port: number
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

/** @throws the system's error when the port is taken */
export async function listen(server: Server | TlsServer, port: number, host: string): Promise<Listener> {
  const taken = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
  return { endpoint: `${reachable(host)}:${taken}`, port: taken, close: () => stop(server) }
}

function stop(server: Server | TlsServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return closed
}

/** A host that a client can connect to. */
export function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
