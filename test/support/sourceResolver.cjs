// @ts-check
const { existsSync } = require('node:fs')
const { join } = require('node:path')

/**
 * Resolves as Node.js does, but that TypeScript is found where its import names the file that would be compiled from it:
 * `./x.js` is `./x.ts`. In packages nothing is: some have their sources lie beside what was compiled from them.
 *
 * @param {string} request
 * @param {import('jest-resolve').ResolverOptions} options
 */
module.exports = (request, options) => {
  const isOurs = /^\.{1,2}\/.+\.js$/.test(request) && !/[\\/]node_modules[\\/]/.test(options.basedir)
  const source = isOurs ? join(options.basedir, request.replace(/\.js$/, '.ts')) : undefined
  return source && existsSync(source) ? source : options.defaultResolver(request, options)
}
