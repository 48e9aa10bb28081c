import { worksInThreads } from './threadsOfAddon.js'

/* Run by scripts/check-addon.mjs, where accesses of threads are watched: the addon at a path, in many threads at once. */

const [path = ''] = process.argv.slice(2)
if (!(await worksInThreads(path, 8, 10))) throw new Error('the addon is wrong in threads')
console.log('the addon: 8 threads')
