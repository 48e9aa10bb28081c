/** What NODE_ENV may be where things run that are for development and tests. */
const DEVELOPMENT: readonly string[] = ['', 'development', 'test']

/**
 * Why what is for development and tests must not start here; `undefined` if it may. Whoever runs `staging`, `prod` or
 * `Production` has data that matter, so names are let in, not kept out. No NODE_ENV at all is how development begins.
 */
export function notDevelopment(): string | undefined {
  const { NODE_ENV = '' } = process.env
  if (DEVELOPMENT.includes(NODE_ENV.trim().toLowerCase())) return undefined
  return `NODE_ENV is ${JSON.stringify(NODE_ENV)}, not "development", "test" or unset`
}
