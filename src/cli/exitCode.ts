/** What the process ends with; documented in docs/commands.md. */
export const EXIT = {
  done: 0,
  /** It could not be done: the message says why. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** It was done, but rows were left or problems found. */
  problems: 3,
  /** Ctrl-C: it stopped after a batch, and goes on from there. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
