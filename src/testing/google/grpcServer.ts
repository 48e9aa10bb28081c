import { randomUUID } from 'node:crypto'
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { types } from 'node:util'
import type { Certificate } from '../emulator/certificate.js'
import type { Emulation } from '../emulator/face.js'
import { alteredBody, type Fault } from '../emulator/faults.js'
import { GrpcError, trailersOf } from './grpcError.js'
import type { GrpcAnswer, GrpcFace } from './grpcFace.js'

export interface GrpcServerOptions {
  readonly emulation: Emulation
  readonly face: GrpcFace
  readonly certificate: Certificate
  /** Where a request whose message is longer is refused. */
  readonly maxMessageBytes: number
}

/** A gRPC server that listens. */
export interface GrpcListener {
  readonly port: number
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

const CONTENT_TYPE = { 'content-type': 'application/grpc+proto' }
const OK = { 'grpc-status': '0' }
/** One byte that says whether a message is compressed, and four of its length. */
const PREFIX = 5

/**
 * Unary calls over HTTP/2 and TLS, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, broken ones included: a
 * server of a gRPC library would keep to the rules.
 *
 * @throws the system's error when the port is taken
 */
export async function listenGrpc(options: GrpcServerOptions, port: number, host: string): Promise<GrpcListener> {
  const server = createSecureServer({ ...options.certificate })
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    options.emulation.calls.connected()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('sessionError', () => undefined)
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    handle(options, stream, headers).catch(() => stream.destroyed || cut(stream))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => stop(server, sockets) }
}

function stop(server: Http2SecureServer, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const socket of sockets) socket.destroy()
  return closed
}

async function handle(options: GrpcServerOptions, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
  const { emulation, face, maxMessageBytes } = options
  const path = headers[':path'] ?? '/'
  const action = path.slice(path.lastIndexOf('/') + 1)
  const call = emulation.calls.begin(action, randomUUID())
  stream.once('close', () => call.end())
  const message = await messageOf(stream, maxMessageBytes)
  const fault = emulation.faults.take(action)
  if (fault) call.note({ result: fault.kind })
  if (fault && (await breaksBeforeAnswer(fault, emulation, stream))) return
  const answer = (received: Buffer) => face.answer({ action, path, headers, message: received }, injectedBy(fault))
  const { outcome, noted }: GrpcAnswer = message instanceof GrpcError ? { outcome: message } : answer(message)
  const failed = outcome instanceof GrpcError
  call.note(noted ?? {})
  if (!fault || failed) call.note({ result: failed ? outcome.code : 'ok' })
  if (stream.destroyed) return
  if (failed) stream.respond({ ':status': 200, ...CONTENT_TYPE, ...trailersOf(outcome) }, { endStream: true })
  else send(stream, encodeAnswer(face, action, outcome, fault), fault)
}

/** Plays the faults that come before any answer; `true` when there will be none. */
async function breaksBeforeAnswer(fault: Fault, { faults }: Emulation, stream: ServerHttp2Stream): Promise<boolean> {
  const gone = new AbortController()
  stream.once('close', () => gone.abort())
  await faults.wait(fault, gone.signal)
  if (stream.destroyed) return true
  const cuts = fault.kind === 'hangUp' && fault.when === 'before'
  if (cuts) cut(stream)
  if (fault.kind !== 'status') return cuts
  stream.respond({ ':status': fault.status, 'content-type': 'text/plain' })
  stream.end('injected')
  return true
}

function injectedBy(fault: Fault | undefined) {
  if (fault?.kind !== 'error') return undefined
  return { code: fault.code, message: fault.message ?? 'This error was injected.' }
}

/** A fault changes the answer's JSON, in which bytes are base64. What it makes is no JSON any more: then it goes as it is. */
function encodeAnswer(face: GrpcFace, action: string, answer: object, fault: Fault | undefined): Buffer {
  if (fault?.kind === 'truncate') return face.encode(action, answer).subarray(0, -12)
  if (fault?.kind !== 'body') return face.encode(action, answer)
  const altered = alteredBody(jsonOf(answer), fault)
  try {
    return face.encode(action, JSON.parse(altered) as object)
  } catch {
    return Buffer.from(altered)
  }
}

function jsonOf(answer: object): string {
  return JSON.stringify(answer, function (this: { [name: string]: unknown }, name, value: unknown) {
    const given = this[name]
    return types.isUint8Array(given) ? Buffer.from(given).toString('base64') : value
  })
}

function send(stream: ServerHttp2Stream, message: Buffer, fault: Fault | undefined): void {
  const frame = Buffer.concat([Buffer.alloc(PREFIX), message])
  frame.writeUInt32BE(message.length, 1)
  const half = frame.subarray(0, frame.length / 2)
  stream.once('wantTrailers', () => stream.sendTrailers(OK))
  stream.respond({ ':status': 200, ...CONTENT_TYPE }, { waitForTrailers: true })
  if (fault?.kind === 'stall') stream.write(half)
  else if (fault?.kind === 'hangUp') stream.write(half, () => cut(stream))
  else stream.end(frame)
}

/** The connection, with all calls that share it. */
function cut(stream: ServerHttp2Stream): void {
  stream.session?.destroy()
}

/** The one message of a unary call. */
async function messageOf(stream: ServerHttp2Stream, maxBytes: number): Promise<Buffer | GrpcError> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (length <= maxBytes) chunks.push(chunk)
    length += chunk.length
  }
  if (length > maxBytes + PREFIX) return new GrpcError('RESOURCE_EXHAUSTED', `A message may have ${maxBytes} bytes.`)
  const frame = Buffer.concat(chunks)
  if (frame[0] === 1) return new GrpcError('UNIMPLEMENTED', 'The emulator takes no compressed messages.')
  if (frame.length >= PREFIX && frame.readUInt32BE(1) === frame.length - PREFIX) return frame.subarray(PREFIX)
  return new GrpcError('INTERNAL', 'The request holds no whole message.')
}
