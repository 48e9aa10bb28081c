#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { EXIT } from '../cli/exitCode.js'
import { runProgram } from '../cli/program.js'
import { toSupervisor } from '../cli/workers/supervisor.js'

// V8 lets garbage lie until the heap has doubled, so that memory would grow with the table; this is by how much it may.
setFlagsFromString('--heap-growing-percent=40')

// As `head` does once it has enough. What was begun goes on with the same command, as after Ctrl-C.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.interrupted)
})

await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: toSupervisor() ?? process.stderr,
  stdin: process.stdin,
  env: process.env,
  openCommandContext: async (...given) => (await import('../cli/loadConfig.js')).openCommandContext(...given),
  exit: (code) => {
    process.exitCode = code
  },
})
