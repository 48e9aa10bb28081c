import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

/** What a process leaves behind: a PostgreSQL cluster's folder, containers with a label, or databases of a server. */
export type Mess =
  | { readonly kind: 'cluster'; readonly folder: string }
  | { readonly kind: 'containers'; readonly label: string }
  | { readonly kind: 'databases'; readonly url: string; readonly prefix: string }

/** Something that runs until it is stopped, or until this process ends. */
export interface Stoppable {
  stop(): Promise<void>
}

/**
 * Makes sure that `mess` goes away: at `stop`, or when this process ends in whatever way. To be called before the
 * mess is made.
 */
export function cleanUpLater(mess: Mess): Stoppable {
  const script = fileURLToPath(new URL('./janitor.mjs', import.meta.url))
  const janitor = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  const pipe = janitor.stdin as Socket
  pipe.on('error', () => undefined)
  pipe.write(JSON.stringify(mess))
  pipe.unref()
  janitor.unref()
  const exited = new Promise<number | null>((resolve) => janitor.once('exit', resolve))
  const stop = async () => {
    janitor.ref()
    pipe.end()
    const code = await exited
    if (code !== 0) throw new Error(`could not clean up after ${mess.kind}: the janitor ended with ${code}`)
  }
  return { stop }
}
