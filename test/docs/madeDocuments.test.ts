import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { madeDocuments } from '../../scripts/docs.js'
import { parsePicture, renderPicture } from '../../scripts/lib/pictures.js'
import { ERROR_CODES } from '../support/errorCodes.js'

const made = madeDocuments()

describe('what npm run docs makes', () => {
  it.each([...made.keys()])('%s is what its source says now (after a change: npm run docs)', (path) => {
    expect(readFileSync(path, 'utf8')).toBe(made.get(path))
  })

  it('is a page with every code, command, mark and entry point, each with its names', () => {
    const page = made.get('docs/reference.md')!
    for (const code of ERROR_CODES) expect(page).toContain(`| \`${code}\` |`)
    for (const name of ['init', 'encrypt', 'keys export-metadata', 'advise <Model.field>', 'completion <shell>'])
      expect(page).toContain(`| \`fieldseal ${name}\` |`)
    expect(page).not.toContain('completion-server')
    for (const mark of ['encrypted', 'blindIndex', 'textIndex', 'rangeIndex', 'tenant', 'encryptionKeys'])
      expect(page).toContain(`| \`@${mark}\` |`)
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json')
    for (const entry of entries) expect(page).toContain(`\n### \`fieldseal${entry.slice(1)}\`\n`)
    expect(page).toContain('| `fieldEncryption` | function |')
    expect(page).toMatch(/Of `KeyOptions`:\n\n(\|.*\n)+\| `staleFor` \|/)
  })

  it('is a page on which nothing that takes part in a call is without a word', () => {
    const page = made.get('docs/reference.md')!
    const silent = Array.from(page.matchAll(/^\| `(\w+)` \| (?:function|class) \| {2}\|$/gm), ([, name]) => name)
    expect(silent).toEqual([])
  })
})

describe('a picture made from text', () => {
  const text = 'title A & B\n\nplain A row\n  email\n← encrypts\nkey A <DEK>\n'

  it('has boxes with their lines, arrows with their labels, and a title for who cannot see it', () => {
    const svg = renderPicture(parsePicture(text))
    expect(svg).toContain('<title>A &amp; B</title>')
    const words = Array.from(svg.matchAll(/<text[^>]*>(.*)<\/text>/g), ([, word]) => word)
    expect(words).toEqual(['A row', 'email', 'encrypts', 'A &lt;DEK&gt;'])
    expect(svg.match(/<rect /g)).toHaveLength(2)
  })

  it('has colours of its own for light and for dark screens', () => {
    expect(renderPicture(parsePicture(text))).toContain('@media (prefers-color-scheme: dark)')
  })

  it.each([
    ['a line that is none of a picture', 'title T\nplain A\nbox B', 'box B'],
    ['two boxes without an arrow', 'title T\nplain A\nkey B', 'key B'],
    ['an arrow to nowhere', 'title T\nplain A\n→ x', 'an arrow between each two'],
    ['no title', 'plain A', 'a picture has a title'],
  ])('is refused for %s', (_, wrong, message) => {
    expect(() => parsePicture(wrong)).toThrow(message)
  })
})
