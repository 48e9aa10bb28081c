/** What the variables were before the first change; `undefined` for those that were not set. */
const before = new Map<string, string | undefined>()

/** Sets a variable of this process, or takes it away, until `restoreVariables`. */
export function setVariable(name: string, value: string | undefined): void {
  if (!before.has(name)) before.set(name, process.env[name])
  put(name, value)
}

/** Gives all variables that were set back what they were. */
export function restoreVariables(): void {
  for (const [name, value] of before) put(name, value)
  before.clear()
}

function put(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
