/** What the platform gives an invocation, in milliseconds: say here what you say there. Whatever waits ends within it. */
export const TIMEOUT = Number(process.env.TIMEOUT ?? 10_000)
