import { count } from '../terminal.js'
import { escaped } from './markup.js'

/**
 * What parts of bars stand for. The colours differ for the colour-blind too (Okabe and Ito), and have a contrast of 3:1
 * against white; what is wrong is also hatched, which shows without any colour.
 */
export const KINDS = {
  encrypted: '#00805d',
  retired: '#0072b2',
  kms: '#6a4fb3',
  plaintext: 'url(#hatched)',
  unknown: 'url(#dotted)',
  destroyed: 'url(#crossed)',
  null: '#89919a',
} as const

export type Kind = keyof typeof KINDS

/** The same on a dark page, with a contrast of 3:1 against its ground. */
export const DARK_KINDS = { encrypted: '#2fb98f', retired: '#56a8e0', kms: '#a78ee6', null: '#868f98' } as const
export const DARK_PATTERNS = { hatched: '#e8782a', dotted: '#c765b6', crossed: '#7b858f' } as const

/** The patterns, once in a page. */
export const PATTERNS = `<svg class="patterns" aria-hidden="true"><defs>
<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#d55e00"/><rect width="2" height="6" fill="#8f3f00"/></pattern>
<pattern id="dotted" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#aa4499"/><circle cx="3" cy="3" r="1.5" fill="#fff"/></pattern>
<pattern id="crossed" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" fill="#3d4349"/><path d="M0 0L7 7M7 0L0 7" stroke="#fff"/></pattern>
</defs></svg>`

export interface Part {
  readonly size: number
  readonly kind: Kind
  readonly name: string
}

export interface Bar {
  readonly name: string
  readonly parts: readonly Part[]
  /** What the whole width stands for; the sum of the parts unless given. */
  readonly whole?: number
  /** Stand beside the bar. */
  readonly figures: readonly string[]
}

/** A bar with its name and its figures; read aloud, it says all of its numbers. */
export function barRow({ name, parts, figures, whole = sum(parts) }: Bar): string {
  const shown = parts.filter(({ size }) => size > 0)
  const label = [name, ...shown.map((part) => `${part.name} ${count(part.size)}`)].join(', ')
  let at = 0
  const rects = shown.map(({ size, kind, name: title }) => {
    const [x, width] = [share(at, whole), share(size, whole)]
    at += size
    return `<rect x="${x}%" width="${width}%" height="100%" fill="${KINDS[kind]}"><title>${escaped(title)}: ${count(size)}</title></rect>`
  })
  const svg = `<svg role="img" aria-label="${escaped(label)}"><rect class="ground" width="100%" height="100%"/>${rects.join('')}</svg>`
  return `<div class="row"><span class="name">${escaped(name).replace('.', '.<wbr>')}</span>${svg}<span class="figures">${figures.map((figure) => `<span>${escaped(figure)}</span>`).join(' ')}</span></div>`
}

export function legend(entries: readonly (readonly [name: string, kind: Kind])[]): string {
  const swatch = (kind: Kind) =>
    `<svg aria-hidden="true"><rect width="100%" height="100%" fill="${KINDS[kind]}"/></svg>`
  return `<p class="legend">${entries.map(([name, kind]) => `<span>${swatch(kind)}${name}</span>`).join(' ')}</p>`
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { size }) => total + size, 0)
}

function share(part: number, whole: number): number {
  return Number(((100 * part) / Math.max(1, whole)).toFixed(3))
}
