import { startKmsEmulator } from 'fieldseal/testing'

/*
 * The KMS emulator in a process of its own, so that the demo's requests to it are real traffic between processes.
 * It ends when the demo does, in whatever way that ends.
 */

// Ctrl-C reaches every process of the terminal; the demo still needs its KMS while it stops.
process.on('SIGINT', () => undefined)

const emulator = await startKmsEmulator()
process.on('disconnect', () => emulator.close())
process.send!({ endpoint: emulator.url, ...emulator.credential, keyId: emulator.keyId, region: 'ap-guangzhou' })
