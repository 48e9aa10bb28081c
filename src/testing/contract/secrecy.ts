import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { type ErrorCode, FieldsealError } from '../../errors.js'

/** In place of the messages of a service, which may quote anything: no error of a `Kms` may repeat one. */
export const RAW_MESSAGE = 'a raw message of the service, which stays behind'

export interface RefusalRules {
  readonly codes: readonly ErrorCode[]
  /** DEKs and values that the error must not show. */
  readonly bytes: readonly Buffer[]
  /** Texts that it must not show. */
  readonly texts: readonly string[]
}

/** Asserts that work fails with an error of this library, with one of the codes, that shows nothing it must not. */
export async function assertRefused(
  work: () => Promise<unknown>,
  { codes, bytes, texts }: RefusalRules,
): Promise<FieldsealError> {
  const error = await work().then(
    () => assert.fail(`It was not refused, where it must be ${codes.join(' or ')}.`),
    (thrown: unknown) => thrown,
  )
  if (error instanceof assert.AssertionError) throw error
  assertSecretive(error, bytes, texts)
  if (!FieldsealError.is(error))
    assert.fail(`It threw what is no FieldsealError: ${String((error as Error | undefined)?.name)}.`)
  assert.ok(codes.includes(error.code), `It was ${error.code}, where it must be ${codes.join(' or ')}.`)
  assert.ok(error.message.length > 20, 'Its message says too little.')
  return error
}

/** Asserts that nothing of what is shown of a value, an error above all, holds a piece of a secret. */
export function assertSecretive(shown: unknown, bytes: readonly Buffer[], texts: readonly string[]): void {
  const text = everythingOf(shown)
  const shows = (piece: string) => piece !== '' && text.includes(piece)
  assert.ok(!bytes.some((secret) => piecesOf(secret).some(shows)), 'It shows a piece of a DEK or value.')
  assert.ok(!texts.some(shows), 'It shows a secret, or a raw message of the service.')
}

/** All that a log could hold of it. */
function everythingOf(shown: unknown): string {
  const { message, stack, cause } = (shown ?? {}) as { readonly [field: string]: unknown }
  const inspected = inspect(shown, { depth: 9, showHidden: true, maxStringLength: null, maxArrayLength: null })
  return [message, stack, String(cause), inspected, JSON.stringify(shown), JSON.stringify(cause)].join('\n')
}

const PIECE_BYTES = 8
const PIECE_CHARACTERS = 10

const pieces = new WeakMap<Buffer, readonly string[]>()

function piecesOf(secret: Buffer): readonly string[] {
  const known = pieces.get(secret) ?? allPiecesOf(secret)
  pieces.set(secret, known)
  return known
}

/** Pieces in every form in which bytes get into a text. Shorter ones would be found by chance. */
function allPiecesOf(secret: Buffer): readonly string[] {
  if (secret.length < PIECE_BYTES) return []
  const windows = Array.from({ length: secret.length - PIECE_BYTES + 1 }, (_, at) => [
    ...secret.subarray(at, at + PIECE_BYTES),
  ])
  const hex = windows.map((window) => window.map((byte) => byte.toString(16).padStart(2, '0')))
  const whole = (['base64', 'base64url', 'latin1'] as const).map((encoding) => secret.toString(encoding))
  return [
    ...hex.flatMap((pairs) => [pairs.join(''), pairs.join(' '), pairs.join('').toUpperCase()]),
    ...windows.flatMap((window) => [window.join(','), window.join(', ')]),
    ...whole.flatMap((text) => slices(text, PIECE_CHARACTERS)),
  ]
}

function slices(text: string, length: number): string[] {
  return Array.from({ length: Math.max(0, text.length - length + 1) }, (_, at) => text.slice(at, at + length))
}
