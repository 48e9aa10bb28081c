import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { describe, expect, it } from '@jest/globals'
import { Calls } from '../../../src/testing/emulator/calls.js'
import { type Certificate, makeCertificate } from '../../../src/testing/emulator/certificate.js'
import type { Emulation, HttpFace } from '../../../src/testing/emulator/face.js'
import { Faults } from '../../../src/testing/emulator/faults.js'
import { listen } from '../../../src/testing/emulator/listener.js'
import { RateLimits } from '../../../src/testing/emulator/rateLimits.js'
import { emulatorServer } from '../../../src/testing/emulator/server.js'
import { onTestFinished } from '../../support/onTestFinished.js'

/** A service that speaks by paths, statuses and headers, as Vault and Azure do. */
const face: HttpFace = {
  maxBodyBytes: 64,
  action: ({ method, url }) => `${method} ${url.split('?')[0]}`,
  answer: async ({ headers, body }, { requestId, injected }) => {
    if (headers.authorization !== 'Bearer good') return refused(401, 'Unauthorized')
    if (injected) return { ...refused(429, injected.code), json: { error: injected } }
    if (body.length > 64) return refused(413, 'TooLong')
    if (body.toString() === 'fail') throw new Error('a bug of the emulator')
    const keyId = 'the-key'
    return { status: 201, headers: { 'x-request-id': requestId }, json: { got: body.toString() }, result: 'ok', keyId }
  },
  keys: () => [{ keyId: 'the-key' }],
}

function refused(status: number, result: string) {
  return { status, json: { error: result }, result }
}

async function start(certificate?: Certificate) {
  const emulation: Emulation = { calls: new Calls(), faults: new Faults(), limits: new RateLimits({}, Date.now) }
  const listener = await listen(emulatorServer({ emulation, face, admin: true, certificate }), 0, '127.0.0.1')
  onTestFinished(() => listener.close())
  return { ...emulation, ...listener }
}

interface Seen {
  readonly status: number | undefined
  readonly requestId: unknown
  readonly text: string
}

function send(url: string, body: string, options: { token?: string; ca?: string } = {}): Promise<Seen> {
  const { token = 'good', ca } = options
  const request = url.startsWith('https') ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const sent = request(url, { method: 'POST', headers, ...(ca ? { ca } : {}) }, (response) => {
      const chunks: string[] = []
      response.on('error', reject)
      response.on('data', (chunk) => chunks.push(String(chunk)))
      response.on('end', () =>
        resolve({ status: response.statusCode, requestId: response.headers['x-request-id'], text: chunks.join('') }),
      )
    })
    sent.on('error', reject).end(body)
  })
}

describe('emulatorServer', () => {
  it('answers with the status, headers and JSON of its face, and counts by its actions', async () => {
    const { endpoint, calls } = await start()
    expect(await send(`http://${endpoint}/v1/sign?a=1`, 'hi')).toEqual({
      status: 201,
      requestId: calls.log[0]!.requestId,
      text: '{"got":"hi"}',
    })
    expect(await send(`http://${endpoint}/v1/sign`, 'hi', { token: 'bad' })).toMatchObject({ status: 401 })
    expect(calls.byAction).toEqual({ 'POST /v1/sign': 2 })
    expect(calls.log.map(({ result, keyId }) => [result, keyId])).toEqual([
      ['ok', 'the-key'],
      ['Unauthorized', undefined],
    ])
  })

  it('lets the face write an injected error in its own form, and refuse first what is not valid', async () => {
    const { endpoint, faults } = await start()
    faults.add({ kind: 'error', code: 'Throttled', message: 'slow down', times: 2 })
    const error = { code: 'Throttled', message: 'slow down' }
    expect(await send(`http://${endpoint}/`, '')).toMatchObject({ status: 429, text: JSON.stringify({ error }) })
    expect(await send(`http://${endpoint}/`, '', { token: 'bad' })).toMatchObject({ status: 401 })
  })

  it('plays faults of any action of the face', async () => {
    const { endpoint, faults, calls } = await start()
    faults.add({ kind: 'status', status: 502, action: 'POST /a' })
    faults.add({ kind: 'truncate', action: 'POST /b' })
    expect(await send(`http://${endpoint}/b`, '12345678901')).toMatchObject({ status: 201, text: '{"got":"1' })
    expect(await send(`http://${endpoint}/a`, '')).toMatchObject({ status: 502 })
    faults.add({ kind: 'hold' })
    const held = send(`http://${endpoint}/a`, 'held')
    await calls.until(({ inFlight }) => inFlight === 1)
    faults.clear()
    expect((await held).text).toBe('{"got":"held"}')
  })

  it('keeps no more of a body than shows that it is too long', async () => {
    const { endpoint } = await start()
    expect(await send(`http://${endpoint}/`, 'x'.repeat(1_000_000))).toMatchObject({ status: 413 })
  })

  it('cuts the connection when the face fails', async () => {
    const { endpoint, calls } = await start()
    await expect(send(`http://${endpoint}/`, 'fail')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await calls.until(({ inFlight }) => inFlight === 0)
  })

  it('shows the keys of its face to other processes', async () => {
    const { endpoint } = await start()
    const response = await fetch(`http://${endpoint}/_emulator/keys`)
    expect(await response.json()).toEqual([{ keyId: 'the-key' }])
  })

  it('speaks HTTPS to whoever trusts its certificate, and to nobody else', async () => {
    const certificate = makeCertificate()
    const { endpoint, port, calls } = await start(certificate)
    expect(await send(`https://${endpoint}/`, 'hi', { ca: certificate.cert })).toMatchObject({ status: 201 })
    expect(await send(`https://localhost:${port}/`, 'hi', { ca: certificate.cert })).toMatchObject({ status: 201 })
    await expect(send(`https://${endpoint}/`, 'hi')).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    expect([calls.count(), calls.connections]).toEqual([2, 3])
  })
})
