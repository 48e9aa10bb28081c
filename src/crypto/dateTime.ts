import { types } from 'node:util'
import { typeName, UnencodableValue } from './unencodable.js'

const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)`
const TIME = String.raw`(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?`

/** ISO 8601 as Prisma takes it for a DateTime: to the second at least, and with its offset. */
const WRITTEN = new RegExp(String.raw`^${DATE}[Tt ]${TIME}(?:[Zz]|([+-]\d\d):(\d\d))$`)
/** As PostgreSQL shows a date, a timestamp or a timestamptz; without an offset it is UTC. */
const SHOWN = new RegExp(String.raw`^${DATE}(?:[T ]${TIME}(?:Z|([+-]\d\d)(?::?(\d\d))?)?)?$`)

/** The years that Prisma and PostgreSQL hold alike. */
const FIRST = -62_135_596_800_000
const LAST = Date.UTC(10_000, 0) - 1

/** Milliseconds since 1970 of a Date, of any realm, or of a complete ISO 8601 text. */
export function dateTime(value: unknown): number {
  const time = types.isDate(value) ? value.getTime() : writtenTime(value)
  if (Number.isNaN(time)) throw new UnencodableValue('is an invalid Date')
  if (time < FIRST || time > LAST) throw new UnencodableValue('must be a date of the years 1 to 9999')
  return time
}

function writtenTime(value: unknown): number {
  if (typeof value !== 'string')
    throw new UnencodableValue(`must be a Date or an ISO 8601 text, not ${typeName(value)}`)
  const time = timeOf(WRITTEN, value)
  if (time !== undefined) return time
  throw new UnencodableValue('is a text, and not a complete date and time in ISO 8601, as 2026-01-31T08:30:00Z')
}

/** The Date that a text form says; `undefined` when it is none. What is finer than a millisecond is cut off. */
export function parseDateTime(text: string): Date | undefined {
  return dateOf(timeOf(SHOWN, text))
}

/** The Date of milliseconds since 1970, if `dateTime` may have made them. */
export function dateOf(time: number | undefined): Date | undefined {
  return time !== undefined && time >= FIRST && time <= LAST ? new Date(time) : undefined
}

function timeOf(pattern: RegExp, text: string): number | undefined {
  const parts = pattern.exec(text)
  if (!parts) return undefined
  const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map((part) => part && Number(part))
  const millisecond = (parts[7] ?? '').padEnd(3, '0').slice(0, 3)
  const written = [year, month, day, hour, minute, second] as [number, number, number, number, number, number]
  const date = utc(written, Number(millisecond))
  return date && date.getTime() - offset(parts[8], parts[9])
}

/** A date that exists: JavaScript makes the 2nd of March out of the 30th of February. */
function utc([year, month, day, hour, minute, second]: number[], millisecond: number): Date | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  date.setUTCHours(hour!, minute!, second!, millisecond)
  const found = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours()]
  const isReal = found.every((part, i) => part === [year, month, day, hour][i])
  return isReal && minute! < 60 && second! < 60 ? date : undefined
}

function offset(hours = '+00', minutes = '00'): number {
  const size = Math.abs(Number(hours)) * 60 + Number(minutes)
  return (hours.startsWith('-') ? -size : size) * 60_000
}
