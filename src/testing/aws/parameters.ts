import { AwsApiError, invalid } from './awsApiError.js'

/** The JSON body of a request. As the service does, the emulator overlooks members that it does not know. */
export type Parameters = { readonly [name: string]: unknown }

export function parseParameters(body: Buffer): Parameters {
  try {
    const parameters: unknown = JSON.parse(body.toString('utf8'))
    if (typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters))
      return parameters as Parameters
  } catch {}
  throw new AwsApiError('SerializationException', 'The body must be a JSON object.')
}

export function requiredText(parameters: Parameters, name: string): string {
  const value = optionalText(parameters, name)
  if (!value) throw invalid(`1 validation error detected: Value null at '${name}' failed to satisfy constraint`)
  return value
}

export function optionalText(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name] ?? undefined
  if (value !== undefined && typeof value !== 'string') throw wrongType(name, 'a string')
  return value
}

/** One of some words; the first unless given. */
export function choice<Word extends string>(parameters: Parameters, name: string, words: readonly Word[]): Word {
  const value = optionalText(parameters, name) ?? words[0]
  const word = words.find((each) => each === value)
  if (word === undefined) throw invalid(`Value '${value}' at '${name}' must be one of ${words.join(', ')}`)
  return word
}

export function flag(parameters: Parameters, name: string): boolean {
  const value = parameters[name] ?? false
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false')
  return value
}

export function integer(parameters: Parameters, name: string, range: { min: number; max: number }): number | undefined {
  const value = parameters[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer')
  if (value >= range.min && value <= range.max) return value
  throw invalid(`Value '${value}' at '${name}' must be between ${range.min} and ${range.max}`)
}

/** Canonical base64 of 1 to `most` bytes. */
export function requiredBytes(parameters: Parameters, name: string, most: number): Buffer {
  const text = requiredText(parameters, name)
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new AwsApiError('SerializationException', `${name} is not base64.`)
  if (bytes.length > 0 && bytes.length <= most) return bytes
  throw invalid(`Value at '${name}' must have length less than or equal to ${most}`)
}

/** The encryption context: a map of strings. */
export function contextOf(parameters: Parameters, name = 'EncryptionContext'): { readonly [key: string]: string } {
  const context = parameters[name] ?? {}
  if (typeof context !== 'object' || Array.isArray(context)) throw wrongType(name, 'a map')
  if (Object.values(context).some((value) => typeof value !== 'string')) throw wrongType(name, 'a map of strings')
  return context as { readonly [key: string]: string }
}

function wrongType(name: string, wanted: string): AwsApiError {
  return new AwsApiError('SerializationException', `${name} must be ${wanted}.`)
}
