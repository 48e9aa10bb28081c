import { afterEach } from '@jest/globals'

type Task = () => unknown

const tasks: Task[] = []

/** Does something once the running test is over, however it went. What was asked for last is done first. */
export function onTestFinished(task: Task): void {
  tasks.push(task)
}

// Registered once for each test file, as each has modules of its own. One task that fails keeps no other from its turn.
afterEach(async () => {
  const errors: unknown[] = []
  for (const task of tasks.splice(0).reverse()) {
    try {
      await task()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join('\n'))
})
