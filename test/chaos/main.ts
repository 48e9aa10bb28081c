import { parseArgs } from 'node:util'
import { chaos } from './chaos.js'
import { openChaosWorld } from './world.js'

/* The long form: `npm run test:chaos -- --seconds 300 --processes 4`. */

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '180' }, processes: { type: 'string', default: '4' } },
})
const world = await openChaosWorld()
try {
  const [seconds, processes] = [Number(values.seconds), Number(values.processes)]
  const figures = await chaos({ world, seconds, processes, say: console.log })
  console.log(figures)
  const { lost, wrong, plaintext, notOneActive, limitsPassed } = figures
  if (lost + wrong.length + plaintext + notOneActive + limitsPassed > 0) process.exitCode = 1
} finally {
  await world.close()
}
