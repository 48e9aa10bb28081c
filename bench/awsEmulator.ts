import { startAwsKmsEmulator } from 'fieldseal/testing'

/* An emulator in a process of its own, as AWS is elsewhere, too. Argument: how many Decrypts it takes a second, 0 for any. */

const decrypts = Number(process.argv[2])
const emulator = await startAwsKmsEmulator({ admin: true, limits: decrypts > 0 ? { Decrypt: decrypts } : {} })
process.send?.({ config: emulator.clientConfig(), keyArn: emulator.keyArn, url: emulator.url })
process.once('disconnect', () => void emulator.close())
