import { AwsApiError } from './awsApiError.js'
import { integer, optionalText, type Parameters } from './parameters.js'

/** A page of a list; the marker is the number of what came before. */
export function page(name: string, all: readonly object[], parameters: Parameters): object {
  const limit = integer(parameters, 'Limit', { min: 1, max: 1000 }) ?? 100
  const marker = optionalText(parameters, 'Marker') ?? '0'
  if (!/^\d{1,9}$/.test(marker)) throw new AwsApiError('InvalidMarkerException', 'The marker is not valid.')
  const end = Number(marker) + limit
  const more = end < all.length ? { Truncated: true, NextMarker: String(end) } : { Truncated: false }
  return { [name]: all.slice(Number(marker), end), ...more }
}
