import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { administer } from './admin.js'
import type { Certificate } from './certificate.js'
import type { Emulation, HttpAnswer, HttpFace, HttpRequest, InjectedError } from './face.js'
import { alteredBody, type Fault } from './faults.js'

export interface EmulatorServerOptions {
  readonly emulation: Emulation
  readonly face: HttpFace
  /** Whether the paths under `/_emulator/` answer. */
  readonly admin: boolean
  /** Has it speak HTTPS. */
  readonly certificate?: Certificate | undefined
}

/** The HTTP side of an emulator: connections, broken ones included. */
export function emulatorServer(options: EmulatorServerOptions): Server | TlsServer {
  const { certificate, emulation } = options
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(options, request, response).catch(() => request.socket.destroy())
  }
  const server = certificate ? createTlsServer({ ...certificate }, listener) : createServer(listener)
  server.on('connection', () => emulation.calls.connected())
  return server
}

async function handle(
  { emulation, face, admin }: EmulatorServerOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '/', headers } = incoming
  const request: HttpRequest = { method, url, headers, body: await bodyOf(incoming, face.maxBodyBytes) }
  if (admin && url.startsWith('/_emulator/')) return administer({ ...emulation, face }, request, response)
  const action = face.action(request)
  const requestId = randomUUID()
  const call = emulation.calls.begin(action, requestId)
  response.once('close', () => call.end())
  const fault = emulation.faults.take(action)
  if (fault) call.note({ result: fault.kind })
  if (fault && (await breaksBeforeAnswer(fault, emulation, response))) return
  const answer = await face.answer(request, { requestId, injected: injectedBy(fault) })
  const { result, keyId, encryptionContext } = answer
  if (keyId !== undefined) call.note({ keyId })
  if (encryptionContext !== undefined) call.note({ encryptionContext })
  if (!fault || result !== 'ok') call.note({ result })
  send(response, answer, fault)
}

/** Plays the faults that come before any answer; `true` when there will be none. */
async function breaksBeforeAnswer(fault: Fault, { faults }: Emulation, response: ServerResponse): Promise<boolean> {
  await waitFor(response, (gone) => faults.wait(fault, gone))
  if (fault.kind === 'hangUp' && fault.when === 'before') response.destroy()
  if (fault.kind === 'status') response.writeHead(fault.status, { 'content-type': 'text/plain' }).end('injected')
  return response.destroyed || response.writableEnded
}

/** Waits no longer than the client does. */
async function waitFor(response: ServerResponse, wait: (gone: AbortSignal) => Promise<void>): Promise<void> {
  const gone = new AbortController()
  const abort = () => gone.abort()
  response.once('close', abort)
  await wait(gone.signal)
  response.off('close', abort)
}

function injectedBy(fault: Fault | undefined): InjectedError | undefined {
  if (fault?.kind !== 'error') return undefined
  return { code: fault.code, message: fault.message ?? 'This error was injected.' }
}

function send(response: ServerResponse, { status = 200, headers, json }: HttpAnswer, fault: Fault | undefined): void {
  const body = Buffer.from(alteredBody(json === undefined ? '' : JSON.stringify(json), fault))
  response.writeHead(status, { 'content-type': 'application/json', ...headers, 'content-length': body.length })
  const half = body.subarray(0, body.length / 2)
  if (fault?.kind === 'stall') response.write(half)
  else if (fault?.kind === 'hangUp') response.write(half, () => response.destroy())
  else response.end(body)
}

/** Keeps no more than shows that the body is too long. */
async function bodyOf(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (length <= maxBytes) chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks)
}
