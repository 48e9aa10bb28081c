/* What this library adds to the SDK of a KMS: the same requests by both, in turns, so that a busy machine slows both. */

const AT_ONCE = 20

/** One way to open a piece of what there is. */
export type Way<T> = (piece: readonly T[]) => Promise<unknown>

/** Milliseconds of the processor that each way took for one item. */
export async function inTurns<T>(
  pieces: readonly (readonly T[])[],
  ours: Way<T>,
  bare: Way<T>,
): Promise<{ readonly ours: number; readonly bare: number }> {
  const spent = { ours: 0, bare: 0 }
  const ways = { ours, bare }
  for (const [turn, piece] of pieces.entries()) {
    const order = turn % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)
    for (const name of order) {
      const before = process.cpuUsage()
      await ways[name](piece)
      const { user, system } = process.cpuUsage(before)
      spent[name] += (user + system) / 1000
    }
  }
  const items = pieces.reduce((sum, { length }) => sum + length, 0)
  return { ours: spent.ours / items, bare: spent.bare / items }
}

/** As many at once as an adapter has in flight unless told otherwise. */
export function atOnce<T>(work: (item: T) => Promise<unknown>): Way<T> {
  return async (piece) => {
    const waiting = [...piece]
    const worker = async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }
}
