/** How much longer what is waited for may take to fail by itself, in milliseconds: it knows better why. */
const GRACE = 50

/**
 * What several wait for, for one of them who has less time than others.
 *
 * @param ends as `performance.now()` tells it
 * @throws what `late` makes
 */
export async function inTime<T>(work: Promise<T>, ends: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), Math.max(0, ends - performance.now()) + GRACE)
  })
  return Promise.race([work, over]).finally(() => clearTimeout(timer))
}
