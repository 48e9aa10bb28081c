/*
 * Pictures for docs/, made of text: boxes in a row with arrows between them, and badges. An SVG of its own colours for
 * light and dark screens; its letters are all as wide as each other, so that widths are known here.
 *
 *     title What the picture says, for whoever cannot see it
 *     plain A row            a box: its kind, by which it is coloured, and its heading
 *       email                a line in it
 *     → encrypts             an arrow to the next box; ← comes from it
 */

const KINDS = ['plain', 'mixed', 'cipher', 'key', 'kms'] as const

interface Box {
  readonly kind: string
  readonly heading: string
  readonly lines: string[]
}

interface Arrow {
  readonly back: boolean
  readonly label: string
}

export interface Picture {
  readonly title: string
  readonly boxes: readonly Box[]
  /** One less than boxes. */
  readonly arrows: readonly Arrow[]
}

/** @throws Error naming the line that is none of the above */
export function parsePicture(text: string): Picture {
  const [boxes, arrows]: [Box[], Arrow[]] = [[], []]
  let title = ''
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [word, rest] = [/^\S*/.exec(line)![0], line.replace(/^\S*\s+/, '')]
    const between = arrows.length === boxes.length - 1
    if (word === '' && boxes.length > 0 && between) boxes.at(-1)!.lines.push(rest)
    else if (word === 'title') title = rest
    else if ((word === '→' || word === '←') && between) arrows.push({ back: word === '←', label: line.slice(2) })
    else if (KINDS.includes(word as 'plain') && arrows.length === boxes.length)
      boxes.push({ kind: word, heading: rest, lines: [] })
    else throw new Error(`no line of a picture, or not here: ${line}`)
  }
  if (title === '' || boxes.length === 0 || arrows.length !== boxes.length - 1)
    throw new Error('a picture has a title, and boxes with an arrow between each two')
  return { title, boxes, arrows }
}

const CHARACTER = 7.2
const SMALL = 6
const [MARGIN, PADDING, LINE, TOP] = [8, 12, 18, 8]

const STYLE = `<style>
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2430 }
.heading { font-weight: 700 }
.small { font-size: 10px; fill: #5b6472 }
.box { stroke-width: 1.5; stroke: #8c95a4; fill: #f6f7f9 }
.mixed { fill: #fff4dc; stroke: #d0901c }
.cipher { fill: #e2f5ec; stroke: #0a7d5a }
.key { fill: #e6effc; stroke: #2f6fd0 }
.kms { fill: #f1e9fb; stroke: #7b4bc0 }
.arrow { fill: none; stroke: #5b6472; stroke-width: 1.5 }
.left { fill: #4b5563 }
.right { fill: #0b62a8 }
.badge { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6e9ee }
.small { fill: #a5afbd }
.box { stroke: #7d8898; fill: #1c222b }
.mixed { fill: #3a2e12; stroke: #d0901c }
.cipher { fill: #0d3226; stroke: #2eb587 }
.key { fill: #14294a; stroke: #5c95ea }
.kms { fill: #2b1f40; stroke: #a57fe0 }
.arrow { stroke: #a5afbd }
.badge { fill: #ffffff }
}
</style>`

export function renderPicture({ title, boxes, arrows }: Picture): string {
  const rows = Math.max(...boxes.map(({ lines }) => lines.length))
  const height = (rows + 1) * LINE + PADDING + (rows > 0 ? 6 : 0)
  const middle = TOP + height / 2
  const parts: string[] = []
  let x = MARGIN
  for (const [position, box] of boxes.entries()) {
    const width = Math.max(...[box.heading, ...box.lines].map((line) => [...line].length)) * CHARACTER + 2 * PADDING
    parts.push(boxSvg(box, { x, width, height }))
    x += width
    const arrow = arrows[position]
    if (!arrow) continue
    const length = Math.max(36, [...arrow.label].length * SMALL + 22)
    parts.push(arrowSvg(arrow, { x, length, middle }))
    x += length
  }
  return svg({ title, width: x + MARGIN, height: height + 2 * TOP, body: parts.join('\n') })
}

function boxSvg({ kind, heading, lines }: Box, place: { x: number; width: number; height: number }): string {
  const { x, width, height } = place
  const text = (line: string, row: number) =>
    `<text x="${px(x + PADDING)}" y="${px(TOP + PADDING + 8 + row * LINE + (row > 0 ? 6 : 0))}"${row === 0 ? ' class="heading"' : ''}>${escaped(line)}</text>`
  const rect = `<rect class="box ${kind}" x="${px(x)}" y="${TOP}" width="${px(width)}" height="${height}" rx="6"/>`
  return [rect, ...[heading, ...lines].map(text)].join('\n')
}

function arrowSvg({ back, label }: Arrow, place: { x: number; length: number; middle: number }): string {
  const { x, length, middle } = place
  const [from, to] = back ? [x + length - 4, x + 5] : [x + 4, x + length - 5]
  const side = back ? 6 : -6
  const path = `M${px(from)} ${middle}H${px(to)}m${side} -4l${-side} 4l${side} 4`
  const text = `<text class="small" x="${px(x + length / 2)}" y="${middle - 7}" text-anchor="middle">${escaped(label)}</text>`
  return label === '' ? `<path class="arrow" d="${path}"/>` : `<path class="arrow" d="${path}"/>\n${text}`
}

/** A row of badges: what, and which. */
export function renderBadges(badges: readonly (readonly [name: string, value: string])[]): string {
  let x = 0
  const body = badges.map(([name, value]) => {
    const [left, right] = [name.length * CHARACTER + 14, value.length * CHARACTER + 14]
    const part = [
      `<path class="left" d="M${px(x + 3)} 0h${px(left - 3)}v20h${px(3 - left)}a3 3 0 0 1 -3 -3v-14a3 3 0 0 1 3 -3"/>`,
      `<path class="right" d="M${px(x + left)} 0h${px(right - 3)}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h${px(3 - right)}z"/>`,
      `<text class="badge" x="${px(x + 7)}" y="14">${escaped(name)}</text>`,
      `<text class="badge" x="${px(x + left + 7)}" y="14">${escaped(value)}</text>`,
    ]
    x += left + right + 6
    return part.join('\n')
  })
  const title = badges.map((badge) => badge.join(' ')).join(', ')
  return svg({ title, width: x - 6, height: 20, body: body.join('\n') })
}

function svg({ title, width, height, body }: { title: string; width: number; height: number; body: string }): string {
  const size = `width="${Math.ceil(width)}" height="${height}" viewBox="0 0 ${Math.ceil(width)} ${height}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">\n<title>${escaped(title)}</title>\n${STYLE}\n${body}\n</svg>\n`
}

const px = (length: number) => String(Math.round(length * 10) / 10)

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
