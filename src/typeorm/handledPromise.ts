/**
 * A promise whose failure is the business of whoever awaits it, be it late, and of nobody else. TypeORM hangs a step of
 * its own on the promise of a lazy relation, with no handler for a failure, and awaits that of a stream in a transaction
 * only after the commit: Node.js would end the process for either, though the application handles the same failure.
 */
export class HandledPromise<T> extends Promise<T> {
  static of<T>(promise: Promise<T>): Promise<T> {
    const handled = new HandledPromise<T>((resolve, reject) => promise.then(resolve, reject))
    handled.then()
    return handled
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  override then<Fulfilled = T, Rejected = never>(
    onFulfilled?: ((value: T) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    const next = super.then(onFulfilled, onRejected)
    super.then.call(next, undefined, () => undefined)
    return next
  }
}
