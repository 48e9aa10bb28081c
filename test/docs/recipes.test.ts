import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const FOLDER = 'docs/recipes'
const read = (path: string) => readFileSync(path, 'utf8')
const pages = readdirSync(FOLDER).filter((name) => name.endsWith('.md') && name !== 'README.md')

/** A piece of code that a page shows, and the file of an app that its text says it is of. */
interface Shown {
  readonly file: string | undefined
  readonly code: string
}

/** What a page shows, in its order. The last file of an app that stands before a fence is its file. */
function shownBy(page: string): Shown[] {
  const text = read(join(FOLDER, page))
  return Array.from(text.matchAll(/^```.*\n([\s\S]*?)^```$/gm), ({ index, 1: code = '' }) => {
    const before = text.slice(text.lastIndexOf('\n```\n', index) + 1, index)
    const files = Array.from(before.matchAll(/`(examples\/[\w@./[\]-]+(?:\.\w+|Dockerfile))`/g), ([, file]) => file)
    return { file: files.at(-1), code }
  })
}

describe('the recipes', () => {
  it('have a page for each app, which leads to it, and each page an app', () => {
    const apps = readdirSync('examples').filter((name) => existsSync(join('examples', name, 'package.json')))
    expect(pages.map((page) => page.replace(/\.md$/, '')).toSorted()).toEqual(apps.toSorted())
    for (const app of apps) expect(read(join(FOLDER, `${app}.md`))).toContain(`(../../examples/${app}/README.md)`)
  })

  it.each(pages)('%s shows only lines that stand so in the file that it names before them', (page) => {
    const shown = shownBy(page)
    expect(shown.length).toBeGreaterThan(3)
    const app = join('examples', page.replace(/\.md$/, ''), '/')
    const made = shown.filter(({ file, code }) => !file?.startsWith(app) || !`\n${read(file)}`.includes(`\n${code}`))
    expect(made).toEqual([])
  })

  it.each(pages)('%s names only files that are there', (page) => {
    const named = Array.from(read(join(FOLDER, page)).matchAll(/`(examples\/[^`\s]+)`/g), ([, file]) => file!)
    expect(named.filter((file) => !existsSync(file))).toEqual([])
  })
})
