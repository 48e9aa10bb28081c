import { posix } from 'node:path'

/**
 * llms.txt as https://llmstxt.org describes it: a title, a summary, and lists of links. It is the index of docs/, as
 * somebody needs it who has one file to begin with.
 *
 * @param readme of which the summary is: its first paragraph
 * @param index docs/README.md
 */
export function llmsText(readme: string, index: string): string {
  const summary = readme.split('\n\n').find((paragraph) => !/^(#|!\[)/.test(paragraph))!
  const sections = index.slice(index.indexOf('\n## ') + 1)
  const rooted = sections.replace(/\]\(([^)]+)\)/g, (link, target: string) =>
    target.startsWith('http') ? link : `](${posix.join('docs', target)})`,
  )
  const begin = '[README](README.md) has the way from an empty folder to the first encrypted row.'
  return `# fieldseal\n\n> ${summary.replaceAll('\n', ' ')}\n\n${begin}\n\n${rooted}`
}
