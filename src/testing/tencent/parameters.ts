import { ApiError } from './apiError.js'

/** The JSON body of a request. */
export type Parameters = { readonly [name: string]: unknown }

const MAX_CONTEXT_BYTES = 1024

export function parseParameters(body: Buffer): Parameters {
  const parameters: unknown = body.length === 0 ? {} : parseJson(body)
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw new ApiError('InvalidParameter', 'The body must be a JSON object.')
  }
  return parameters as Parameters
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new ApiError('InvalidParameter', 'The body is not JSON.')
  }
}

export function checkNames(parameters: Parameters, known: readonly string[]): void {
  const unknown = Object.keys(parameters).find((name) => !known.includes(name))
  if (unknown) throw new ApiError('UnknownParameter', `The parameter ${unknown} is not recognized.`)
}

export function requiredText(parameters: Parameters, name: string): string {
  const value = optionalText(parameters, name)
  if (!value) throw new ApiError('MissingParameter', `The parameter ${name} is missing.`)
  return value
}

export function optionalText(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name]
  if (value !== undefined && typeof value !== 'string') throw wrongType(name, 'a string')
  return value
}

export function integer(parameters: Parameters, name: string, range: { min: number; max: number }): number | undefined {
  const value = parameters[name]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'an integer')
  if (value < range.min || value > range.max) {
    throw new ApiError('InvalidParameter', `${name} must be between ${range.min} and ${range.max}.`)
  }
  return value
}

export function texts(parameters: Parameters, name: string): string[] {
  const value = parameters[name]
  if (!Array.isArray(value) || value.length === 0 || !value.every((item) => typeof item === 'string')) {
    throw wrongType(name, 'a list of strings')
  }
  return value
}

/** The encryption context as the text it came as; `''` when there is none. */
export function encryptionContext(parameters: Parameters, name = 'EncryptionContext'): string {
  const text = optionalText(parameters, name) ?? ''
  if (Buffer.byteLength(text) > MAX_CONTEXT_BYTES) throw new ApiError('InvalidParameter', `${name} is too long.`)
  if (text !== '' && !isJsonObject(text)) throw new ApiError('InvalidParameter', `${name} is not a JSON object.`)
  return text
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function wrongType(name: string, wanted: string): ApiError {
  return new ApiError('InvalidParameter', `${name} must be ${wanted}.`)
}
