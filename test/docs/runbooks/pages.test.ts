import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, commandsOf, RUNBOOKS, statementsOf } from './runbook.js'

const pages = readdirSync(RUNBOOKS).filter((name) => name.endsWith('.md') && name !== 'README.md')

describe('docs/runbooks', () => {
  it('has an index that lists every page', () => {
    const index = readFileSync(join(RUNBOOKS, 'README.md'), 'utf8')
    const listed = Array.from(index.matchAll(/^- \[.+?\]\((\S+\.md)\)/gm), ([, page]) => page)
    expect(listed.toSorted()).toEqual(pages.toSorted())
  })

  it.each(pages)('%s has steps to paste, and a test that plays them', (page) => {
    const steps = blocksOf(page).flatMap((block): unknown[] =>
      block.language === 'bash' ? commandsOf(block) : statementsOf(block),
    )
    expect(steps).not.toEqual([])
    expect(existsSync(new URL(`./${page.replace(/\.md$/, '.test.ts')}`, import.meta.url))).toBe(true)
  })
})
