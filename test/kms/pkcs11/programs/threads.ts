/**
 * Uses a token in this process by two pkcs11js objects, one in the main thread and one in a worker thread, at once.
 * Prints how many times both unwrapped the DEK.
 *
 * Arguments: the paths of pkcs11js and of the module, the token, the PIN, the KEK; then, of a worker, the wrapped DEK.
 */
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { DekIdentity, WrappedDek } from '../../../../src/keys/kms.js'
import { pkcs11Kms } from '../../../../src/kms/pkcs11/pkcs11Kms.js'
import type { LoadedModule } from '../softhsm.js'

const TIMES = 300
const identity: DekIdentity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' }

const [pkcs11js, library, token, pin, keyId, given] = (isMainThread ? process.argv.slice(2) : workerData) as string[]
const { PKCS11 } = createRequire(import.meta.url)(pkcs11js!) as { PKCS11: new () => LoadedModule }
const pkcs11 = new PKCS11()
pkcs11.load(library!)
const kms = pkcs11Kms({ pkcs11, token, pin, keyId: keyId! })

async function unwrapAll(wrapped: WrappedDek): Promise<number> {
  const all = await Promise.all(Array.from({ length: TIMES }, () => kms.unwrap(wrapped, identity)))
  return new Set(all.map((dek) => dek.toString('hex'))).size === 1 ? all.length : 0
}

if (isMainThread) {
  const { dek, ...wrapped } = await kms.generate(identity)
  dek.fill(0)
  const data = [...process.argv.slice(2), JSON.stringify(wrapped)]
  // A worker does not get the loader of TypeScript from its process.
  const code = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`
  const worker = new Worker(code, { eval: true, workerData: data })
  const [[theirs], ours] = await Promise.all([once(worker, 'message'), unwrapAll(wrapped)])
  // The worker's end logs this process out, or has; so it does, and is logged in again.
  await once(worker, 'exit')
  console.log(JSON.stringify([ours, theirs, await unwrapAll(wrapped)]))
  await kms.close()
} else {
  parentPort!.postMessage(await unwrapAll(JSON.parse(given!) as WrappedDek))
  await kms.close()
}
