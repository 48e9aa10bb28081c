import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { administer } from './admin.js'
import { answer, type Emulation, MAX_BODY_BYTES } from './api.js'
import { ApiError } from './apiError.js'
import type { Fault } from './faults.js'
import type { SignedRequest } from './signature.js'

/** The HTTP side of the emulator: connections, broken ones included. */
export function emulatorServer(emulation: Emulation): Server {
  const server = createServer((request, response) => {
    handle(emulation, request, response).catch(() => request.socket.destroy())
  })
  server.on('connection', () => emulation.calls.connected())
  return server
}

async function handle(emulation: Emulation, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '/', headers } = incoming
  const body = await bodyOf(incoming)
  const request: SignedRequest = { method, url, headers, body }
  if (emulation.admin && url.startsWith('/_emulator/')) return administer(emulation, request, response)
  const action = String(headers['x-tc-action'] ?? 'none')
  const requestId = randomUUID()
  const call = emulation.calls.begin(action, requestId)
  response.once('close', () => call.end())
  const fault = emulation.faults.take(action)
  if (fault) call.note({ result: fault.kind })
  if (fault && (await breaksBeforeAnswer(fault, emulation, response))) return
  const { code, response: payload, parameters } = answer(emulation, request, errorOf(fault))
  const { KeyId: keyId, EncryptionContext: encryptionContext } = parameters
  if (typeof keyId === 'string') call.note({ keyId })
  if (typeof encryptionContext === 'string') call.note({ encryptionContext })
  if (!fault || code !== 'ok') call.note({ result: code })
  send(response, JSON.stringify({ Response: { ...payload, RequestId: requestId } }), fault)
}

/** Plays the faults that come before any answer; `true` when there will be none. */
async function breaksBeforeAnswer(fault: Fault, { faults }: Emulation, response: ServerResponse): Promise<boolean> {
  if (fault.kind === 'delay') await pause(response, (signal) => setTimeout(fault.ms, undefined, { signal }))
  if (fault.kind === 'hold') await pause(response, (signal) => aborted(AbortSignal.any([signal, faults.cleared])))
  if (fault.kind === 'hangUp' && fault.when === 'before') response.destroy()
  if (fault.kind === 'status') response.writeHead(fault.status, { 'content-type': 'text/plain' }).end('injected')
  return response.destroyed || response.writableEnded
}

/** Waits no longer than the client does. */
async function pause(response: ServerResponse, wait: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const gone = new AbortController()
  const abort = () => gone.abort()
  response.once('close', abort)
  await wait(gone.signal).catch(() => undefined)
  response.off('close', abort)
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function errorOf(fault: Fault | undefined): ApiError | undefined {
  return fault?.kind === 'error' ? new ApiError(fault.code, fault.message ?? 'This error was injected.') : undefined
}

function send(response: ServerResponse, text: string, fault: Fault | undefined): void {
  const body = Buffer.from(bodyFor(text, fault))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  const half = body.subarray(0, body.length / 2)
  if (fault?.kind === 'stall') response.write(half)
  else if (fault?.kind === 'hangUp') response.write(half, () => response.destroy())
  else response.end(body)
}

/** The last characters are cut off, so that what stays still holds the whole plaintext of a DEK. */
function bodyFor(text: string, fault: Fault | undefined): string {
  if (fault?.kind === 'truncate') return text.slice(0, -12)
  if (fault?.kind !== 'body') return text
  return typeof fault.body === 'string' ? fault.body : fault.body(text)
}

/** Keeps no more than shows that the body is too long. */
async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    if (length <= MAX_BODY_BYTES) chunks.push(chunk)
    length += chunk.length
  }
  return Buffer.concat(chunks)
}
