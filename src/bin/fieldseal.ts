#!/usr/bin/env node
import { EXIT } from '../cli/exitCode.js'
import { runProgram } from '../cli/program.js'

// As `head` does once it has enough. What was begun goes on with the same command, as after Ctrl-C.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.interrupted)
})

await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stdin: process.stdin,
  env: process.env,
  exit: (code) => {
    process.exitCode = code
  },
})
