import { types } from 'node:util'
import { quoted } from '../errors.js'
import { invalidOptions } from '../invalidOptions.js'
import type { Engine } from './engine.js'
import { behavesAlike } from './engineSelfTest.js'
import { loadAddon } from './native/addon.js'
import { nativeEngine } from './native/nativeEngine.js'
import { nodeEngine } from './nodeEngine.js'

/** The environment variable that overrides the choice. */
export const ENGINE_VARIABLE = 'FIELDSEAL_ENGINE'
const invalid = invalidOptions(ENGINE_VARIABLE)

let current: Engine | undefined
/** What was found when the addon was first asked for. */
let addonEngine: Engine | Error | undefined

/**
 * The engine that works on values in this process: `native` where the addon loads and proves itself, else `node`; or
 * what `FIELDSEAL_ENGINE` says when it is first asked for.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when that is no engine, or not to be had here
 */
export function currentEngine(): Engine {
  current ??= chooseEngine(process.env[ENGINE_VARIABLE])
  return current
}

/** @param wanted `native`, `node`, or nothing */
export function chooseEngine(wanted: string | undefined): Engine {
  if (wanted === 'node') return nodeEngine
  if (wanted !== undefined && wanted !== '' && wanted !== 'native') {
    throw invalid(`is ${quoted(wanted)}: write "native" or "node", or leave it out`)
  }
  addonEngine ??= loadNative()
  if (!types.isNativeError(addonEngine)) return addonEngine
  if (wanted === 'native') {
    throw invalid('asks for the native engine, which does not load here: leave it out, or write "node"', {
      cause: addonEngine,
    })
  }
  return nodeEngine
}

/**
 * Whatever goes wrong with the addon, `node:crypto` is there; so it is an answer, not an exception. Node.js makes the errors
 * of its loader in its own realm, whose `Error` is another one under Jest.
 */
function loadNative(): Engine | Error {
  try {
    const engine = nativeEngine(loadAddon())
    return behavesAlike(engine, nodeEngine) ? engine : new Error('the addon does not work as node:crypto does')
  } catch (error) {
    return types.isNativeError(error) ? error : new Error('the addon does not load')
  }
}
