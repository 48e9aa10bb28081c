import { unavailable } from '../call/callFailure.js'
import { objectOf, type VaultAnswer, type VaultClient, VaultFailed } from './vaultClient.js'

/** The standard `fetch`, or one with the same face: of `undici` with a proxy or certificates of your own. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpClientOptions {
  /** `https://vault.example.com:8200` */
  readonly address: string
  readonly namespace: string
  readonly fetch: Fetch
}

/** A hundred values of 4,096 bytes as base64 take 0.6 MB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Vault's HTTP API over `fetch`. It follows no redirect: the token would go wherever a header says. */
export function httpClient({ address, namespace, fetch }: HttpClientOptions): VaultClient {
  const common = {
    accept: 'application/json',
    'content-type': 'application/json',
    'x-vault-request': 'true',
    ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }),
  }
  return {
    send: async ({ method, path, body, token }, signal) => {
      const headers = token === undefined ? common : { ...common, 'x-vault-token': token }
      const content = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(`${address}/v1/${path}`, { method, headers, redirect: 'manual', signal, ...content })
      return answerOf(response)
    },
  }
}

async function answerOf(response: Response): Promise<VaultAnswer> {
  const { status, headers } = response
  const text = await textOf(response)
  const body = text === '' ? {} : parsed(text)
  if (!body && status === 200) throw new VaultFailed(unavailable('an answer that is no JSON object'))
  return { status, body: body ?? {}, retryAfter: secondsOf(headers.get('retry-after')) }
}

async function textOf({ body }: Response): Promise<string> {
  if (!body) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_ANSWER_BYTES) throw new VaultFailed(unavailable('an answer that is too long'))
    chunks.push(chunk)
  }
  const whole = Buffer.concat(chunks)
  const text = whole.toString('utf8')
  for (const bytes of [whole, ...chunks]) bytes.fill(0)
  return text
}

/** The message of a parser's error quotes what it stumbled over, so it goes nowhere. */
function parsed(text: string): VaultAnswer['body'] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? objectOf(value) : undefined
  } catch {
    return undefined
  }
}

function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined
}
