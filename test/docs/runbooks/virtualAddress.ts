import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** An address under which one database server answers, and after a failover another. */
export interface VirtualAddress {
  readonly url: string
  /** Cuts all connections; new ones go to this server. */
  moveTo(server: string): void
  close(): Promise<void>
}

export async function openVirtualAddress(server: string): Promise<VirtualAddress> {
  let port = Number(new URL(server).port)
  const sockets = new Set<Socket>()
  const keep = (socket: Socket, other: () => Socket) => {
    sockets.add(socket)
    socket.on('error', () => other().destroy())
    socket.on('close', () => {
      sockets.delete(socket)
      other().destroy()
    })
  }
  const listener = createServer((incoming) => {
    const outgoing = connect(port, '127.0.0.1')
    keep(incoming, () => outgoing)
    keep(outgoing, () => incoming)
    incoming.pipe(outgoing).pipe(incoming)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const url = new URL(server)
  url.port = String((listener.address() as AddressInfo).port)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    moveTo(other) {
      port = Number(new URL(other).port)
      cut()
    },
    async close() {
      listener.close()
      cut()
      await once(listener, 'close')
    },
  }
}
