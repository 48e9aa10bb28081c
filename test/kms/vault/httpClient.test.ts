import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { vaultKms } from 'fieldseal/vault'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal } from '../../support/refusal.js'
import { connect, identity, startEmulator } from './start.js'

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function kmsAt(address: string) {
  return vaultKms({ address, token: () => 'hvs.token', keyId: 'k', maxRetries: 0, timeout: 3_000 })
}

describe('the HTTP client', () => {
  it('sends the token, the namespace and X-Vault-Request, to the path below the address', async () => {
    const seen: object[] = []
    const address = await serve(({ method, url, headers }, response) => {
      const { 'x-vault-token': token, 'x-vault-namespace': namespace, 'x-vault-request': request } = headers
      seen.push({ method, url, token, namespace, request })
      response.writeHead(503).end()
    })
    const kms = vaultKms({
      address: `${address}/behind/a/proxy/`,
      token: () => 'hvs.token',
      namespace: 'team-a',
      keyId: 'k',
      maxRetries: 0,
    })
    await refusal(() => kms.generate(identity()))
    const url = '/behind/a/proxy/v1/transit/keys/k'
    expect(seen).toEqual([{ method: 'GET', url, token: 'hvs.token', namespace: 'team-a', request: 'true' }])
  })

  it.each([301, 302, 307, 308])('follows no redirect (%i), to its own host neither', async (status) => {
    let count = 0
    const address = await serve(({ headers }, response) => {
      count += 1
      response.writeHead(status, { location: `http://${headers.host}/elsewhere` }).end()
    })
    expect(await refusal(() => kmsAt(address).generate(identity()))).toMatchObject({ code: 'KMS_UNAVAILABLE' })
    expect(count).toBe(1)
  })

  it('reads no more of an answer than any can be long', async () => {
    let ended = false
    const address = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.once('close', () => {
        ended = true
      })
      const more = () => {
        while (!ended && response.write('x'.repeat(65_536)));
        if (!ended) response.once('drain', more)
      }
      more()
    })
    expect(await refusal(() => kmsAt(address).generate(identity()))).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('too long'),
    })
  })

  it.each(['<html>sign in</html>', '[]', 'null', '"text"', '{"data":', ''])(
    'takes %j for no answer, and quotes it nowhere',
    async (body) => {
      const address = await serve((_request, response) => response.writeHead(200).end(body))
      const error = await refusal(() => kmsAt(address).generate(identity()))
      expect(['KMS_UNAVAILABLE', 'KMS_REFUSED']).toContain(error.code)
      if (body.length > 4) expect(inspect(error, { depth: 9 })).not.toContain(body)
    },
  )

  it('ends a request whose time is over', async () => {
    const closed = new Promise<void>((resolve) => {
      void serve((request) => request.once('close', () => resolve())).then((address) =>
        refusal(() =>
          vaultKms({ address, token: () => 'hvs.token', keyId: 'k', timeout: 200, maxRetries: 0 }).generate(identity()),
        ),
      )
    })
    await closed
  })

  it('says what is wrong with the way to Vault', async () => {
    const emulator = await startEmulator()
    await emulator.close()
    expect(await refusal(() => kmsAt(emulator.url).generate(identity()))).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('trusts no certificate that nobody vouches for', async () => {
    const emulator = await startEmulator({ tls: true })
    const error = await refusal(() => connect(emulator, { maxRetries: 0 }).generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('NODE_EXTRA_CA_CERTS') })
    expect(emulator.calls.count()).toBe(0)
  })
})
