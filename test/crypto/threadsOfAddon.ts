import { Worker } from 'node:worker_threads'

/* What a worker thread does: it loads the addon and works at once, so that others load it meanwhile. */
const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads')
  const module = { exports: {} }
  process.dlopen(module, workerData.path)
  const { open, openIndex, place, encrypt, decrypt, index } = module.exports
  const frame = new Uint32Array(4096)
  const out = Buffer.alloc(1600)
  let right = true
  for (let i = 0; i < workerData.rounds; i++) {
    const key = open(Buffer.alloc(32, i))
    const number = place(key, Buffer.alloc(66), 'h'.repeat(28), false, 0)
    frame.fill(50, 0, 100).fill(number, 1024, 1124)
    index(openIndex(Buffer.alloc(32, i)), frame, 100, Buffer.alloc(14), 'a'.repeat(5000), 0, 16, out)
    const texts = encrypt(key, frame, 100, undefined, '\\0'.repeat(5000), 0, undefined, (...made) => made)
    texts.forEach((text, at) => (frame[at] = text.length))
    const back = decrypt(key, frame, 100, undefined, texts.join(''), (...made) => made)
    right &&= back.length === 100 && back.every((text) => text === '\\0'.repeat(49)) && !out.equals(Buffer.alloc(1600))
  }
  parentPort.postMessage(right)
`

/** Whether the addon at a path is right in so many threads, which load it at once and each work so many rounds. */
export async function worksInThreads(path: string, threads: number, rounds: number): Promise<boolean> {
  const answers = Array.from({ length: threads }, () => {
    const worker = new Worker(PROGRAM, { eval: true, workerData: { path, rounds } })
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  return (await Promise.all(answers)).every((right) => right === true)
}
