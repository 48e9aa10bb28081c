import { resolve } from 'node:path'
import { behavesAlike } from '../../src/crypto/engineSelfTest.js'
import type { Addon } from '../../src/crypto/native/addon.js'
import { nativeEngine } from '../../src/crypto/native/nativeEngine.js'
import { nodeEngine } from '../../src/crypto/nodeEngine.js'
import { fuzzEngines } from './engineFuzz.js'
import { proveEngine } from './proveEngine.js'
import { worksInThreads } from './threadsOfAddon.js'

/*
 * Run by scripts/check-addon.mjs in the Node.js of another platform: the addon at a path, with the test at load, all
 * vectors, so many random values, and in threads.
 */

const [path = '', count = '20000'] = process.argv.slice(2)
const module: { exports: Partial<Addon> } = { exports: {} }
process.dlopen(module, resolve(path))
const engine = nativeEngine(module.exports as Addon)
if (!behavesAlike(engine, nodeEngine)) throw new Error('the test at load fails')
const proved = proveEngine(engine)
const { values, opened, refused } = fuzzEngines([engine, nodeEngine], Number(count), 1)
if (!(await worksInThreads(resolve(path), 4, 20))) throw new Error('it is wrong in threads')
const { platform, arch, version, versions } = process
const where = `${platform} ${arch}, Node.js ${version}, OpenSSL ${versions.openssl}, Node-API ${versions.napi}`
console.log(`${where}: ${proved} vectors, ${values} random values (${opened} opened, ${refused} refused), threads`)
