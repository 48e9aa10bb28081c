import ms from 'ms'

/** Milliseconds, or a text such as `'90d'`, `'12h'`, `'5m'`, `'30s'`. */
export type Duration = number | string

/** The milliseconds of a duration; `undefined` when it is none, or not a finite one from 0 on. */
export function milliseconds(duration: unknown): number | undefined {
  const text = typeof duration === 'string' && duration.length > 0 && duration.length <= 100
  const value = text ? ms(duration as ms.StringValue) : duration
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined
}
