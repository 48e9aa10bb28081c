import pg from 'pg'

/** What is used of the connection below a client, to speak the protocol of replication. */
interface Wire {
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): void
  once(event: string, listener: (message: unknown) => void): void
}

export interface Standby {
  /** Says that it shows all that it was sent. */
  catchUp(): void
  close(): Promise<void>
}

const XLOG_DATA = 'w'.charCodeAt(0)
const KEEPALIVE = 'k'.charCodeAt(0)

/** A standby as the server sees it: it is sent the write-ahead log, and says that it shows nothing of it yet. */
export async function startStandby(url: string): Promise<Standby> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'slow',
    replication: 'database',
  } as pg.ClientConfig)
  await client.connect()
  client.on('error', () => {})
  const [place] = (await client.query('IDENTIFY_SYSTEM')).rows
  const wire = (client as unknown as { connection: Wire }).connection
  const started = lsnOf(place.xlogpos)
  let [sent, caughtUp] = [started, false]
  const reply = () => wire.sendCopyFromChunk(statusOf(sent, caughtUp ? sent : started))
  wire.on('copyData', ({ chunk }) => {
    if (chunk[0] === XLOG_DATA) sent = chunk.readBigUInt64BE(1) + BigInt(chunk.length - 25)
    if (chunk[0] === KEEPALIVE) sent = chunk.readBigUInt64BE(1)
    reply()
  })
  const streaming = new Promise((resolve) => wire.once('replicationStart', resolve))
  wire.query(`START_REPLICATION PHYSICAL ${place.xlogpos}`)
  await streaming
  reply()
  return {
    catchUp: () => {
      caughtUp = true
      reply()
    },
    close: async () => {
      const ended = new Promise((resolve) => client.once('end', resolve))
      ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
      await ended
    },
  }
}

function lsnOf(text: string): bigint {
  const [high, low] = text.split('/').map((part) => BigInt(`0x${part}`))
  return (high! << 32n) + low!
}

/** A status update: written, flushed and applied up to, the time, and that no answer is wanted. */
function statusOf(sent: bigint, applied: bigint): Buffer {
  const message = Buffer.alloc(34)
  message.write('r')
  message.writeBigUInt64BE(sent, 1)
  message.writeBigUInt64BE(sent, 9)
  message.writeBigUInt64BE(applied, 17)
  message.writeBigUInt64BE(BigInt(Date.now() - Date.UTC(2000, 0, 1)) * 1000n, 25)
  return message
}
