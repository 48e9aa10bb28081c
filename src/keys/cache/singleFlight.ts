/** Concurrent callers with the same key share one run; the next caller after it ended starts another. */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>()

  get(key: string): Promise<T> | undefined {
    return this.#running.get(key)
  }

  run(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key)
    if (running) return running
    const promise = work().finally(() => {
      if (this.#running.get(key) === promise) this.#running.delete(key)
    })
    this.#running.set(key, promise)
    return promise
  }

  /** Later callers share nothing with runs that have begun. */
  forget(): void {
    this.#running.clear()
  }
}
