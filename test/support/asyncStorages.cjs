// @ts-check

/**
 * In Node.js before 24, what an AsyncLocalStorage holds is copied into every promise of the process, for each that was ever
 * used and is not disabled. A module has one for each realm: after thirty test files a promise would take ten times the
 * memory, and a worker would be slower from file to file.
 *
 * @param {typeof import('node:async_hooks').AsyncLocalStorage} storageClass
 * @returns {() => void} disables all of the class that were used since it was last called; they may be used again
 */
exports.trackStorages = (storageClass) => {
  /** @type {Set<import('node:async_hooks').AsyncLocalStorage<unknown>>} */
  const used = new Set()
  for (const method of /** @type {const} */ (['run', 'enterWith'])) {
    const original = storageClass.prototype[method]
    storageClass.prototype[method] = function tracked(/** @type {any[]} */ ...given) {
      used.add(this)
      return Reflect.apply(original, this, given)
    }
  }
  return () => {
    for (const storage of used) storage.disable()
    used.clear()
  }
}
