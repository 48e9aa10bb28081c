/** A thing to time; it is awaited. */
export interface Contender {
  readonly run: () => unknown
  /** What is done before each run, untimed. */
  readonly prepare?: () => unknown
}

/** Milliseconds per round of each contender. */
export type Times = { readonly [name: string]: number[] }

/** What a clock on the wall shows, and what the process's own threads computed: others on the machine change only the first much. */
export interface Measured {
  readonly wall: Times
  readonly cpu: Times
}

export interface Effort {
  /** How long to go on, in milliseconds, once there are rounds enough. */
  readonly budget: number
  readonly fewest?: number
  readonly most?: number
}

/**
 * For how long each contender runs before anything is counted, in milliseconds: as long as V8 takes to have compiled what
 * a server runs all day. Before, code that is larger looks slower than it stays.
 */
const WARM_UP = 600

/**
 * Times contenders in turn, A B C A B C …, so that a drift of the machine meets all alike, once they are warm.
 */
export async function interleave(
  contenders: { readonly [name: string]: Contender },
  { budget, fewest = 7, most = Math.max(fewest, 150) }: Effort,
): Promise<Measured> {
  await warmUp(Object.values(contenders))
  const empty = (): Times => Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  const [wall, cpu] = [empty(), empty()]
  const start = performance.now()
  for (let round = 0; round < most; round++) {
    if (round >= fewest && performance.now() - start > budget) break
    for (const [name, { run, prepare }] of Object.entries(contenders)) {
      await prepare?.()
      const [before, used] = [performance.now(), process.cpuUsage()]
      await run()
      const [after, { user, system }] = [performance.now(), process.cpuUsage(used)]
      wall[name]!.push(after - before)
      cpu[name]!.push((user + system) / 1000)
    }
  }
  return { wall, cpu }
}

/** Each runs twice at least. */
async function warmUp(contenders: readonly Contender[]): Promise<void> {
  for (const { run, prepare } of contenders) {
    let ran = 0
    for (let round = 0; round < 2 || ran < WARM_UP; round++) {
      await prepare?.()
      const before = performance.now()
      await run()
      ran += performance.now() - before
    }
  }
}

/** A median and the quartiles around it. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** The ratio of two contenders, taken round by round. */
export function ratioOf(times: Times, name: string, to: string): Spread {
  return spreadOf(times[name]!.map((time, round) => time / times[to]![round]!))
}

/** Does something so many times, one after the other. */
export async function times(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work(i)
}
