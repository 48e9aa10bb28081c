/** A fixed number of places; who finds none waits, in the order of coming. */
export class Places {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(count: number) {
    this.#free = count
  }

  /** @throws the signal's reason once it is aborted */
  async take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const taken = () => {
        signal?.removeEventListener('abort', gone)
        resolve()
      }
      const gone = () => {
        this.#waiting.delete(taken)
        reject(signal?.reason)
      }
      this.#waiting.add(taken)
      signal?.addEventListener('abort', gone, { once: true })
    })
  }

  free(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#free += 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
