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

/** What works on values in this process. */
interface Choice {
  readonly engine: Engine
  /** Why it is not the addon, which was not declined. */
  readonly fallback: string | undefined
}

let current: Choice | undefined
/** What was found when the addon was first asked for. */
let addonEngine: Engine | Error | undefined

/**
 * The engine that works on values in this process: `native` where the addon loads and proves itself, else `node`; or
 * what `FIELDSEAL_ENGINE` says when it is first asked for.
 *
 * @throws FieldsealError `OPTIONS_INVALID` when that is no engine, or not to be had here
 */
export function currentEngine(): Engine {
  return currentChoice().engine
}

/**
 * Why `node` works in this process although the addon was not declined: what was in its way, in one line. `undefined` where
 * the addon works, and with `FIELDSEAL_ENGINE=node`.
 *
 * @throws FieldsealError as `currentEngine`
 */
export function engineFallback(): string | undefined {
  return currentChoice().fallback
}

function currentChoice(): Choice {
  if (current) return current
  const wanted = process.env[ENGINE_VARIABLE]
  const engine = chooseEngine(wanted)
  const failed = wanted !== 'node' && types.isNativeError(addonEngine) ? addonEngine.message : undefined
  current = { engine, fallback: failed?.split('\n')[0]?.replace(/\.$/, '') }
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
    return behavesAlike(engine, nodeEngine) ? engine : new Error('it does not make and decide the same as node:crypto')
  } catch (error) {
    return types.isNativeError(error) ? error : new Error('the addon does not load')
  }
}
