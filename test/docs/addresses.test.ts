import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(`src/${path}`, 'utf8') }))

describe('a page of the documentation that a message names', () => {
  it('is there', () => {
    const pages = sources.flatMap(({ text }) => [...text.matchAll(/docsAt\('([^']+)'\)/g)].map(([, page]) => page!))
    expect(pages.length).toBeGreaterThan(5)
    expect(pages.filter((page) => !existsSync(`docs/${page.replace(/#.*/, '')}`))).toEqual([])
  })

  it('is named by its address and not by a path, which a project of users does not have', () => {
    const said = sources.flatMap(({ path, text }) => {
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
      return /(?<!main\/)\bdocs\/[\w-]+/.test(code) ? [path] : []
    })
    expect(said.filter((path) => !path.startsWith('testing/'))).toEqual([])
  })
})
