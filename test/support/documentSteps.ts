import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** What somebody does who follows a document. */
export type Step =
  | { readonly kind: 'run'; readonly commands: string }
  | { readonly kind: 'write'; readonly path: string; readonly text: string; readonly append: boolean }
  | { readonly kind: 'see'; readonly output: string }

/**
 * The steps of a section: commands are fences of `sh`, output that is shown is one of `text`, and each other fence is a
 * file. The paragraph before it names that file; where it says "at the end of", the code goes there.
 */
export function stepsOf(document: string, heading: string): Step[] {
  const section = readFileSync(resolve(document), 'utf8').split(/^(?=## )/m)
  const text = section.find((part) => part.startsWith(`## ${heading}\n`))
  if (text === undefined) throw new Error(`${document} has no section "${heading}"`)
  const fences = text.matchAll(/([^\n]*)\n\n```(\w+)\n([\s\S]*?)^```$/gm)
  return Array.from(fences, ([, before, language, code]): Step => {
    if (language === 'sh') return { kind: 'run', commands: code! }
    if (language === 'text') return { kind: 'see', output: code! }
    const path = Array.from(before!.matchAll(/`([\w./-]+\.\w+)`/g), ([, name]) => name!).at(-1)
    if (path === undefined) throw new Error(`nothing says which file this is: ${before}`)
    return { kind: 'write', path, text: code!, append: before!.includes('at the end of') }
  })
}
