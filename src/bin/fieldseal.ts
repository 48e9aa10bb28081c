#!/usr/bin/env node
import { runProgram } from '../cli/program.js'

await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stdin: process.stdin,
  env: process.env,
  exit: (code) => {
    process.exitCode = code
  },
})
