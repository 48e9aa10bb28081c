/** Turns the first Ctrl-C into a signal to stop after the batch under way; a second one ends the process at once. */
export function onInterrupt(say: (text: string) => void): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(130)
    say('Stopping after this batch. Again Ctrl-C: at once, which loses nothing either.')
    controller.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', interrupt)
    },
  }
}

/**
 * Closes what a command has open, which takes a moment: a Ctrl-C in it changes nothing, so that what the command has to say
 * last is said; a second one ends the process at once.
 */
export async function whileClosing(close: () => Promise<void>): Promise<void> {
  const interrupt = onInterrupt(() => {})
  try {
    await close()
  } finally {
    interrupt.dispose()
  }
}

/** Does something that Ctrl-C must not stop in its middle. It waits for nothing. */
export function uninterrupted(work: () => void): void {
  const ignore = () => {}
  process.on('SIGINT', ignore)
  process.on('SIGTERM', ignore)
  try {
    work()
  } finally {
    process.off('SIGINT', ignore)
    process.off('SIGTERM', ignore)
  }
}
