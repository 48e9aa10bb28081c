import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const read = (path: string) => readFileSync(path, 'utf8')
const inDocs = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name))

describe('what leads through the documents', () => {
  it('docs/README.md has a line for every document, or for the index of its folder that has one', () => {
    const listedBy = (index: string) =>
      Array.from(read(index).matchAll(/^(?:-|\d+\.) \[.+?\]\((\S+\.md)\)/gm), ([, path]) => join(dirname(index), path!))
    const indexes = inDocs.filter((path) => path.endsWith('/README.md'))
    const listed = new Set(indexes.flatMap(listedBy))
    expect(inDocs.filter((path) => path !== 'docs/README.md' && !listed.has(path))).toEqual([])
    const lines = read('docs/README.md').match(/^- .+$/gm)!
    expect(lines.filter((line) => !/^- \[.+\]\(\S+\): \S/.test(line))).toEqual([])
  })

  it('docs/comparison.md has a source for each claim that names one, and no source without a claim', () => {
    const [claims, sources] = read('docs/comparison.md').split('## Sources')
    const cited = Array.from(claims!.matchAll(/\[([\d, ]+)\](?!\()/g), ([, list]) => list!.split(', ')).flat()
    const numbered = Array.from(sources!.matchAll(/^(\d+)\. .*\]\(https:/gm), ([, number]) => number!)
    expect(numbered).toEqual(numbered.map((_, position) => String(position + 1)))
    expect([...new Set(cited)].toSorted()).toEqual(numbered.toSorted())
  })
})
