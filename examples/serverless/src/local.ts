/**
 * Stands for the platform: each line of the input is an event, and each of the output its answer. An instance has one
 * invocation after the other, or with --at-once all that come.
 */
import { createInterface } from 'node:readline'
import { handler } from './handler.js'
import { TIMEOUT } from './limits.js'
import { prisma } from './prisma.js'

const atOnce = process.argv.includes('--at-once')

const invocations: Promise<void>[] = []
for await (const line of createInterface({ input: process.stdin })) {
  const invocation = invoke(line)
  invocations.push(invocation)
  if (!atOnce) await invocation
}
await Promise.all(invocations)
await prisma.$disconnect()

async function invoke(line: string): Promise<void> {
  const end = performance.now() + TIMEOUT
  const answer = await handler(JSON.parse(line), { getRemainingTimeInMillis: () => end - performance.now() })
  console.log(JSON.stringify(answer))
}
