interface Run {
  readonly done: Promise<void>
  next: Promise<void> | undefined
}

/**
 * One run for each key at a time, and one more after it for all who have asked meanwhile: what they asked about may have
 * come too late for the first.
 */
export class TrailingFlight {
  readonly #running = new Map<string, Run>()

  run(key: string, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(key)
    if (!running) return this.#start(key, work)
    running.next ??= running.done.then(
      () => this.#start(key, work),
      () => this.#start(key, work),
    )
    return running.next
  }

  #start(key: string, work: () => Promise<void>): Promise<void> {
    const done = work().finally(() => {
      if (this.#running.get(key) === run && !run.next) this.#running.delete(key)
    })
    const run: Run = { done, next: undefined }
    this.#running.set(key, run)
    return done
  }
}
