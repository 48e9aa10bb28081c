import { InvalidArgumentError } from 'commander'
import ms from 'ms'
import type { MaxLag } from '../../maintenance/rows/pressure.js'

const SIZES = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }

/** `5s`, `2m`: how old what a standby shows may be. `64MB`: how much it may still have to write. */
export function parseMaxLag(text: string): MaxLag {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(kB|MB|GB)$/i.exec(text) ?? []
  if (unit !== undefined) return { bytes: Number(number) * SIZES[unit.toLowerCase() as keyof typeof SIZES] }
  const time = /^\d+(\.\d+)? ?[a-z]+$/i.test(text) ? ms(text as ms.StringValue) : undefined
  if (time !== undefined && time > 0) return { seconds: time / 1000 }
  throw new InvalidArgumentError('It must be a time or a size, such as 5s or 64MB.')
}
