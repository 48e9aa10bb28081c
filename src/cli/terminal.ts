import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { printableLines } from '../printable.js'

/** Where a command writes. */
export interface Terminal {
  /** A line for people; nothing with `--json`. */
  say(text: string): void
  /** A table for people. */
  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void
  /** A line of JSON for programs; nothing without `--json`. */
  event(event: object): void
  /** How far something is; replaces the last one where it can. */
  progress(step: ProgressStep): void
  /** Ends the progress of one thing. */
  settle(): void
  /** Whether a person can answer. */
  readonly asks: boolean
}

export interface ProgressStep {
  readonly name: string
  readonly done: number
  readonly total: number
  /** What is counted: `row`, `key`. */
  readonly unit: string
}

/** A line of progress this often where there is no terminal, in milliseconds. */
const LINE_EVERY = 5_000

/** Prints for people: with a progress bar in a terminal, in plain lines elsewhere. */
export function humanTerminal(stdout: NodeJS.WriteStream, stdin: NodeJS.ReadStream): Terminal {
  const write = (text: string) => stdout.write(`${printableLines(text)}\n`)
  const progress = stdout.isTTY ? new BarProgress(stdout) : new LineProgress(write)
  return {
    say: (text) => progress.above(() => write(text)),
    table: (head, rows) =>
      progress.above(() => write(tableText(head, rows, stdout.isTTY ? stdout.columns : undefined))),
    event: () => {},
    progress: (step) => progress.show(step),
    settle: () => progress.settle(),
    asks: stdout.isTTY === true && stdin.isTTY === true,
  }
}

/** Prints one JSON object a line. */
export function jsonTerminal(stdout: NodeJS.WriteStream): Terminal {
  const event = (object: object) => void stdout.write(`${printableLines(JSON.stringify(object))}\n`)
  return { say: () => {}, table: () => {}, event, progress: () => {}, settle: () => {}, asks: false }
}

/** As wide as it must be, or each row as lines of its own where a terminal is too narrow for that. */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  columns = Number.POSITIVE_INFINITY,
): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } })
  table.push(...rows.map((row) => row.map(String)))
  const text = table.toString()
  if (Math.max(...text.split('\n').map((line) => line.length)) <= columns) return text
  return rows.map((row) => row.map((cell, i) => `${head[i] || ''}: ${cell}`).join('\n')).join('\n\n')
}

interface Progress {
  show(step: ProgressStep): void
  settle(): void
  /** Prints something without tearing the bar apart. */
  above(print: () => void): void
}

class BarProgress implements Progress {
  readonly #stdout: NodeJS.WriteStream
  #bar: SingleBar | undefined
  #meter = new Meter()
  #name = ''
  /** Of the window when the bar was laid out. */
  #columns = 0

  constructor(stdout: NodeJS.WriteStream) {
    this.#stdout = stdout
  }

  show(step: ProgressStep): void {
    if (step.name !== this.#name) this.#meter = new Meter()
    this.#name = step.name
    if (this.#columns !== this.#width) this.#end()
    this.#bar ??= this.#begin(step)
    this.#bar.setTotal(Math.max(step.total, step.done))
    this.#bar.update(step.done, { ...this.#meter.read(step), name: step.name })
  }

  get #width(): number {
    return this.#stdout.columns || 80
  }

  /** As narrow as the window is now. */
  #begin(step: ProgressStep): SingleBar {
    const columns = this.#width
    this.#columns = columns
    const format = formatFor(columns, step.total === 1 ? step.unit : `${step.unit}s`)
    const barsize = Math.max(10, Math.min(30, columns - 70 - step.name.length))
    const formatValue = (value: number, _: unknown, type: string) =>
      type === 'total' || type === 'value' ? count(value) : String(value)
    // It would take Ctrl-C for its own end.
    const options = { stream: this.#stdout, format, barsize, linewrap: false, formatValue, gracefulExit: false }
    const bar = new SingleBar({
      ...options,
      ...{ barCompleteChar: '█', barIncompleteChar: '░', hideCursor: true, clearOnComplete: true, fps: 8 },
    })
    bar.start(Math.max(step.total, step.done), step.done, { ...this.#meter.read(step), name: step.name })
    return bar
  }

  settle(): void {
    this.#end()
    this.#name = ''
  }

  #end(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }

  /** The bar goes back to the line where it began, so another begins below what is printed. */
  above(print: () => void): void {
    this.#end()
    print()
  }
}

/** The share and the time left come first, whatever else there is no room for. */
function formatFor(columns: number, unit: string): string {
  if (columns >= 90) return `{name} {bar} {percentage} %  {value} of about {total} ${unit}  {rate}/s  {left} left`
  return columns >= 50 ? '{name} {percentage} % {rate}/s {left} left' : '{percentage} % {left} left {name}'
}

class LineProgress implements Progress {
  #next = performance.now() + LINE_EVERY
  #meter = new Meter()
  #name = ''

  constructor(private readonly write: (text: string) => void) {}

  show(step: ProgressStep): void {
    if (step.name !== this.#name) this.#meter = new Meter()
    this.#name = step.name
    const { rate, left } = this.#meter.read(step)
    if (performance.now() < this.#next) return
    this.#next = performance.now() + LINE_EVERY
    this.write(`${step.name}: ${count(step.done)} of about ${counted(step.total, step.unit)}, ${rate}/s, ${left} left`)
  }

  settle(): void {
    this.#name = ''
  }

  above(print: () => void): void {
    print()
  }
}

/** Rate and time left, since the first step: an earlier run's part does not count. */
class Meter {
  readonly #started = performance.now()
  #first: number | undefined

  read({ done, total }: ProgressStep): { rate: string; left: string } {
    this.#first ??= done
    const seconds = (performance.now() - this.#started) / 1000
    const rate = seconds > 0 ? (done - this.#first) / seconds : 0
    const left = rate > 0 ? duration(Math.max(0, total - done) / rate) : '?'
    return { rate: count(Math.round(rate)), left }
  }
}

export function count(number: number): string {
  return number.toLocaleString('en')
}

/** `1 row`, `2,000 rows` */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** `1 h 02 min`, `3 min 04 s`, `5 s` */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const two = (number: number) => String(Math.floor(number)).padStart(2, '0')
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${two((whole % 3600) / 60)} min`
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`
}
