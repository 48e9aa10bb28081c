import { parseArgs } from 'node:util'
import { chaos } from './chaos.js'
import { openChaosWorld } from './world.js'

/*
 * The long form: `npm run test:chaos -- --seconds 300 --processes 4`. With `--kms tencent,aws` each of them is down by
 * turns; any one is enough.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '180' },
    processes: { type: 'string', default: '4' },
    kms: { type: 'string', default: 'tencent' },
  },
})
const world = await openChaosWorld(values.kms.split(','))
try {
  const [seconds, processes] = [Number(values.seconds), Number(values.processes)]
  const figures = await chaos({ world, seconds, processes, say: console.log })
  console.log(figures)
  const { lost, wrong, plaintext, notOneActive, limitsPassed, preventable } = figures
  if (lost + wrong.length + plaintext + notOneActive + limitsPassed + preventable.length > 0) process.exitCode = 1
} finally {
  await world.close()
}
