#!/usr/bin/env node
import { parseCommandLine, USAGE } from '../testing/tencent/commandLine.js'
import { startKmsEmulator } from '../testing/tencent/kmsEmulator.js'

async function main(): Promise<void> {
  const options = parseCommandLine(process.argv.slice(2), process.env)
  if (!options) {
    console.log(USAGE)
    return
  }
  const emulator = await startKmsEmulator(options)
  const stop = () => void emulator.close()
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  const { url, keyId, credential } = emulator
  console.log(`Tencent KMS emulator on ${url}, key ${keyId}, secret id ${credential.secretId} (not for production)`)
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
