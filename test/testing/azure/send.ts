import { request } from 'node:https'
import type { AzureKmsEmulator } from 'fieldseal/testing'

export const VERSION = 'api-version=2025-07-01'
export const SCOPE = 'https://managedhsm.azure.net/.default'

export interface Answer {
  readonly status: number
  readonly headers: { readonly [name: string]: string | string[] | undefined }
  readonly text: string
}

/** As a client that is no SDK asks. */
export function send(
  emulator: AzureKmsEmulator,
  method: string,
  path: string,
  token?: string,
  body?: object,
): Promise<Answer> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    const options = { method, headers, ca: emulator.certificate }
    const sent = request(`${emulator.url}${path}`, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
}

export function codeIn({ text }: Answer): unknown {
  const { error } = JSON.parse(text) as { error: { code: string; innererror?: { code: string } } }
  return error.innererror?.code ?? error.code
}

/** What the SDK says of an error. */
export async function statusOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: { statusCode?: unknown; code?: unknown }) => [error.statusCode, error.code],
  )
}
