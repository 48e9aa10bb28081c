import { startVaultEmulator, type VaultEmulator, type VaultEmulatorOptions } from 'fieldseal/testing'
import { onTestFinished } from '../../support/onTestFinished.js'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any form, looked into by tests.
  readonly json: any
}

interface Asking {
  readonly token?: string | undefined
  readonly namespace?: string
}

export async function startVault(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const emulator = await startVaultEmulator(options)
  onTestFinished(() => emulator.close())
  return emulator
}

/** Asks as `curl` would; with the root token unless told. */
export async function ask(
  emulator: VaultEmulator,
  method: string,
  path: string,
  body?: object | string,
  asking: Asking = {},
): Promise<Answered> {
  const { token = emulator.rootToken, namespace } = asking
  const headers = {
    ...(token !== '' && { 'x-vault-token': token }),
    ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
  }
  const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await fetch(`${emulator.url}/v1/${path}`, { method, headers, redirect: 'manual', ...content })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
