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
