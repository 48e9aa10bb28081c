import { Session } from 'node:inspector/promises'

/* Where the time of an operation goes, by V8's own sampling profiler, summed up by whose code it is. */

/** Milliseconds of one run, by whose code they were spent in. */
export type Profile = { readonly [part: string]: number }

/** The profiler knows all functions of an addon by the name of one of them. */
const ADDON = new Set(['open', 'openIndex', 'place', 'encrypt', 'decrypt', 'index'])

const PARTS: readonly (readonly [part: string, owns: (name: string, url: string) => boolean])[] = [
  ['waiting for the database', (name) => name === '(idle)'],
  ['garbage collection', (name) => name === '(garbage collector)'],
  ['the addon, OpenSSL in it', (name, url) => url === '' && ADDON.has(name)],
  ['fieldseal, in JavaScript', (_, url) => url.includes('/dist/') && !url.includes('/node_modules/')],
  ['Prisma’s client', (_, url) => url.includes('/@prisma/client')],
  [
    'pg and Prisma’s adapter',
    (_, url) =>
      /\/(pg|pg-protocol|pg-types|pg-pool|postgres-array|@prisma\/adapter-pg|@prisma\/driver-adapter-utils)\//.test(
        url,
      ),
  ],
  ['Node.js and the rest', () => true],
]

/** Profiles so many runs of `work`, after some that are not looked at. */
export async function profileOf(work: () => Promise<unknown>, runs: number): Promise<Profile> {
  for (let i = 0; i < 10; i++) await work()
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  await session.post('Profiler.start')
  for (let i = 0; i < runs; i++) await work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const parts = new Map(PARTS.map(([part]) => [part, 0]))
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  profile.samples!.forEach((id, i) => {
    const { functionName, url } = frames.get(id)!
    const [part] = PARTS.find(([, owns]) => owns(functionName, url))!
    parts.set(part, parts.get(part)! + profile.timeDeltas![i]! / 1000 / runs)
  })
  return Object.fromEntries(parts)
}
