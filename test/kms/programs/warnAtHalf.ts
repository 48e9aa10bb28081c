/** Counts messages up to half of what a KEK may encrypt and beyond, and prints which warnings the process gave after each. */
import { setImmediate } from 'node:timers/promises'
import { MessageCount } from '../../../src/kms/messageCount.js'

const warnings: { name: string; code?: string; message: string }[] = []
process.on('warning', ({ name, message, ...rest }) => warnings.push({ name, message, ...rest }))

const count = new MessageCount('the KEK local:half')
const given: (typeof warnings)[] = []
for (const messages of [2 ** 31 - 1, 1, 100]) {
  count.add(messages)
  await setImmediate()
  given.push(warnings.splice(0))
}
console.log(JSON.stringify(given))
