import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Survey } from 'fieldseal/prisma'
import type { Page } from 'playwright-core'
import { adviceOn } from '../../src/cli/advise/adviceOn.js'
import { advicePage } from '../../src/cli/report/advicePage.js'
import { KINDS } from '../../src/cli/report/bars.js'
import { reportPage } from '../../src/cli/report/page.js'
import { addPlaintext, type Migration, openMigration, plainCustomer } from '../maintenance/migration.js'
import { type OpenBrowser, openBrowser } from '../support/browser.js'
import { pdfPages } from '../support/pdfPages.js'
import { configure, runCommand } from './runCommand.js'

let migration: Migration
let opened: OpenBrowser
let survey: Survey
beforeAll(async () => {
  ;[migration, opened] = await Promise.all([openMigration(), openBrowser()])
  await prepare()
  const { output } = await runCommand(migration, 'status', '--json', '--html', 'report.html')
  survey = JSON.parse(output)
})
afterAll(() => Promise.all([migration?.close(), opened?.close()]))

/** Two versions of keys, one of them old; rows under each, in plaintext and under a key that is gone. */
async function prepare(): Promise<void> {
  configure(migration)
  await addPlaintext(migration.plain)
  await migration.run('encrypt', { models: ['Customer', 'Word'] })
  await migration.prisma.$encryption.rotate({ tenants: 'acme' })
  await migration.run('re-encrypt', { models: ['Word'] })
  await migration.plain.customer!.createMany({ data: [plainCustomer(100), plainCustomer(101)] })
  await migration.sql(`UPDATE "EncryptionKey" SET "createdAt" = now() - interval '100 days' WHERE version = 1`)
  await migration.sql(
    `UPDATE "Word" SET note = 'fs1.AQAAAAAAAAAAAAAAAAAAAAAA' || substring(note from 29) WHERE text = 'NULL'`,
  )
}

/** Opens a page and gathers what it should not do. */
async function show(
  file: string,
  width: number,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<{ page: Page; wrong: string[] }> {
  const page = await opened.browser.newPage({ viewport: { width, height: 800 }, colorScheme })
  const wrong: string[] = []
  const url = pathToFileURL(join(migration.folder, file)).href
  page.on('console', (message) => wrong.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`))
  page.on('request', (request) => request.url() !== url && wrong.push(`request: ${request.url()}`))
  await page.goto(url)
  return { page, wrong }
}

interface ShownBar {
  readonly name: string
  readonly label: string
  readonly figures: readonly string[]
  /** Of the parts, of what is the whole width. */
  readonly shares: readonly number[]
  readonly height: number
}

/** What the bars under a heading show, as they are laid out. */
function barsUnder(page: Page, heading: string): Promise<ShownBar[]> {
  return page
    .locator('section', { has: page.getByRole('heading', { name: heading }) })
    .locator('.row')
    .evaluateAll((rows) =>
      rows.map((row) => {
        const svg = row.querySelector('svg')!
        const { width, height } = svg.getBoundingClientRect()
        const parts = [...svg.querySelectorAll('rect:not(.ground)')]
        return {
          name: row.querySelector('.name')!.textContent!,
          label: svg.getAttribute('aria-label')!,
          figures: [...row.querySelectorAll('.figures span')].map((figure) => figure.textContent!),
          shares: parts.map((part) => Math.round((1000 * part.getBoundingClientRect().width) / width) / 1000),
          height,
        }
      }),
    )
}

// Run in the browser, whose types this project does not know.
const widthOfText = new Function(
  'element',
  'const range = document.createRange(); range.selectNodeContents(element); return range.getBoundingClientRect().width',
) as (element: unknown) => number
const paintedWith = new Function('elements', 'name', 'return elements.map((one) => getComputedStyle(one)[name])') as (
  elements: unknown,
  name: string,
) => string[]
const beyondMain = new Function(
  'elements',
  `const { right } = document.querySelector('main').getBoundingClientRect()
  return elements.filter((one) => one.getBoundingClientRect().right > right + 0.5).length`,
) as (elements: unknown) => number
const isKeptOnPaper = new Function('rect', `return getComputedStyle(rect).printColorAdjust === 'exact'`) as (
  rect: unknown,
) => boolean

const thousandth = (part: number, whole: number) => Math.round((1000 * part) / whole) / 1000

describe('the page that status --html writes, in a browser', () => {
  it('loads nothing, runs nothing and reports no error', async () => {
    const { page, wrong } = await show('report.html', 1200)
    expect(wrong).toEqual([])
    expect(await page.locator('script, link, img, iframe, [onload]').count()).toBe(0)
    expect(await page.title()).toBe(`fieldseal: what is encrypted, ${survey.at.slice(0, 10)}`)
    await page.close()
  })

  it('shows title, date, verdict and totals as text that can be seen', async () => {
    const { page } = await show('report.html', 1200)
    const heading = page.getByRole('heading', { level: 1 })
    expect((await heading.boundingBox())!.width).toBeGreaterThan(100)
    // A font without glyphs takes no width.
    expect(await heading.evaluate(widthOfText)).toBeGreaterThan(100)
    expect(await page.locator('time').textContent()).toBe(`${survey.at.slice(0, 16).replace('T', ' ')} UTC`)
    const plaintext = survey.fields.reduce((sum, field) => sum + field.plaintext, 0)
    expect(await page.locator('.verdict').textContent()).toContain(`${plaintext} in plaintext, 1 under an unknown key`)
    const totals = await page.locator('.totals div').allInnerTexts()
    expect(totals.map((text) => text.split('\n').slice(0, 2))).toEqual([
      ['encrypted', expect.stringMatching(/^\d\d\.\d %$/)],
      ['in plaintext', String(plaintext)],
      [
        'not under an active key',
        String(
          survey.fields
            .flatMap(({ versions }) => versions)
            .filter(({ state }) => state === 'retired')
            .reduce((sum, { rows }) => sum + rows, 0),
        ),
      ],
      ['tenants with keys', '2'],
      ['active keys', String(survey.keys.filter(({ state }) => state === 'active').length)],
      ['oldest active key', '100 days'],
    ])
    await page.close()
  })

  it('names project, database and version', async () => {
    const { page } = await show('report.html', 1200)
    const database = new URL(migration.database.url).pathname.slice(1)
    expect(await page.locator('.when').textContent()).toContain(
      `· ${basename(migration.folder)} · database ${database}`,
    )
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect(await page.locator('footer').textContent()).toContain(`fieldseal ${version}`)
    await page.close()
  })

  it('is only content with values under active keys', () => {
    const whole = survey.fields.map((field) => ({ ...field, plaintext: 0, unknownKey: 0 }))
    const indexes = survey.indexes.map((index) => ({ ...index, missing: 0, unencrypted: 0, stray: 0 }))
    const rotated = reportPage({ ...survey, fields: whole, indexes }, '')
    expect(rotated).toMatch(/"verdict open">No plaintext left; \d+ of \d+ values not under an active key</)
    const fields = whole.map((field) => ({ ...field, versions: [] }))
    expect(reportPage({ ...survey, fields, indexes }, '')).toContain('"verdict good">No plaintext left')
  })

  it('plots the coverage of each field to scale', async () => {
    const { page } = await show('report.html', 1200)
    const bars = await barsUnder(page, 'Coverage per field')
    expect(bars.map(({ name }) => name)).toEqual(survey.fields.map(({ model, field }) => `${model}.${field}`))
    survey.fields.forEach((field, i) => {
      const sizes = [field.ciphertext - field.unknownKey, field.plaintext, field.unknownKey, field.null]
      expect(bars[i]!.height).toBeGreaterThan(10)
      expect(bars[i]!.shares).toEqual(
        sizes.filter((size) => size > 0).map((size) => expect.closeTo(size / field.rows, 2)),
      )
      if (field.plaintext > 0) expect(bars[i]!.figures).toContain(`${field.plaintext} plaintext`)
    })
    expect(bars.find(({ name }) => name === 'Customer.name')).toMatchObject({
      label: 'Customer.name, encrypted 60, plaintext 2',
      figures: ['96.7 %', '2 plaintext'],
      shares: [thousandth(60, 62), thousandth(2, 62)],
    })
    expect(bars.find(({ name }) => name === 'Event.payload')!.figures).toEqual(['0.0 %', '60 plaintext'])
    await page.close()
  })

  it('plots rows by key version, and keys by age', async () => {
    const { page } = await show('report.html', 1200)
    const versions = await barsUnder(page, 'Rows by key version')
    expect(versions.find(({ name }) => name === 'Customer.name')).toMatchObject({
      figures: ['v1 active: 20', 'v1 retired: 40'],
      shares: [thousandth(20, 60), thousandth(40, 60)],
    })
    expect(versions.find(({ name }) => name === 'Word.note')).toMatchObject({ figures: ['v2 active: 11'], shares: [1] })
    expect(versions.map(({ name }) => name)).not.toContain('Event.payload')
    const ages = await barsUnder(page, 'Keys by age')
    expect(ages.map(({ name, figures }) => [name, ...figures])).toEqual([
      ['under 7 days', '1 active', '0 retired'],
      ['90 to 180 days', '3 active', '1 retired'],
    ])
    expect(ages[0]!.shares).toEqual([0.25])
    expect(ages[1]!.shares).toEqual([0.75, 0.25])
    await page.close()
  })

  it.each([320, 360, 720, 1200])('has nothing beside the window at %d pixels', async (width) => {
    writeFileSync(join(migration.folder, 'long.html'), reportPage(longSurvey(), ''))
    for (const file of ['report.html', 'long.html']) {
      const { page } = await show(file, width)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      await page.close()
    }
  })

  it('escapes names', async () => {
    const tenant = '<img src=x onerror=alert(1)>"\'&'
    const keys = survey.keys.map((key) => ({ ...key, tenant }))
    writeFileSync(join(migration.folder, 'names.html'), reportPage({ ...survey, keys }, `tenant ${tenant}`))
    const { page, wrong } = await show('names.html', 1200)
    expect(wrong).toEqual([])
    expect(await page.locator('.when').textContent()).toContain(tenant)
    expect(await page.getByRole('cell', { name: tenant, exact: true }).count()).toBeGreaterThan(0)
    expect(await page.locator('img').count()).toBe(0)
    await page.close()
  })

  it('shows where keys are when they are under more than one KEK, whatever their names', async () => {
    expect(reportPage(survey, '')).not.toContain('Where the keys are')
    const other = { kms: 'aws', kekId: '<b>arn', tenants: 1, active: 2, older: 1_000 }
    writeFileSync(join(migration.folder, 'keks.html'), reportPage({ ...survey, keks: [other, ...survey.keks] }, ''))
    const { page, wrong } = await show('keks.html', 1200)
    expect(wrong).toEqual([])
    const section = page.locator('section', { has: page.getByRole('heading', { name: 'Where the keys are' }) })
    expect(await section.locator('tbody tr').first().locator('td').allTextContents()).toEqual([
      ...['aws', '1', '2', '1,000', '<b>arn'],
    ])
    await page.close()
  })

  it('has colours that can be told from the ground, and from each other without colours', async () => {
    const source = readFileSync(join(migration.folder, 'report.html'), 'utf8')
    const colors = ['#00805d', '#0072b2', '#89919a', '#d55e00', '#aa4499', '#3d4349']
    for (const color of colors) expect(source).toContain(color)
    expect(colors.filter((color) => !(contrastToWhite(color) >= 3))).toEqual([])
    expect(contrastToWhite(KINDS.kms)).toBeGreaterThanOrEqual(3)
    for (const pattern of ['hatched', 'dotted', 'crossed']) expect(source).toContain(`<pattern id="${pattern}"`)
  })
})

describe('the page on paper', () => {
  it('is one or two pages of A4 for a few fields, its plots in colour', async () => {
    const { page } = await show('report.html', 1200)
    await page.emulateMedia({ media: 'print' })
    const pages = await pdfPages(await page.pdf({ format: 'A4' }))
    expect(pages.length).toBeLessThanOrEqual(2)
    expect(pages[0]).toMatchObject({ width: expect.closeTo(595, -1), height: expect.closeTo(842, -1) })
    expect(pages[0]!.texts[0]!.text).toBe('What is encrypted')
    expect(await page.locator('.row rect').first().evaluate(isKeptOnPaper)).toBe(true)
    await page.close()
  })

  it('breaks between rows, keeps headings with what follows, and repeats heads of tables', async () => {
    const long = longSurvey()
    writeFileSync(join(migration.folder, 'long.html'), reportPage(long, ''))
    const { page } = await show('long.html', 1200)
    const pages = await pdfPages(await page.pdf({ format: 'A4' }))
    expect(pages.length).toBeGreaterThan(3)
    const headings = [
      'Coverage per field',
      'Rows by key version',
      'Keys by age',
      'Fields',
      'Indexes',
      'Oldest active keys',
    ]
    for (const { texts, width, height } of pages) {
      const body = texts.filter(({ y }) => y < height - 50)
      expect(body.length).toBeGreaterThan(4)
      expect(body.filter(({ x, width: wide }) => !(x >= 28 && x + wide <= width - 28))).toEqual([])
      for (const { text, y } of body)
        if (headings.includes(text)) expect(body.filter((one) => one.y > y + 20).length).toBeGreaterThan(3)
    }
    const words = pages.map(({ texts }) => texts.map(({ text }) => text).join(' '))
    for (const heading of headings) expect(words.join(' ')).toContain(heading)
    expect(words.filter((text) => text.includes('plaintext encrypted unknown')).length).toBeGreaterThan(1)
    await page.close()
  })
})

/** Many fields, with names as long as they come. */
function longSurvey(): Survey {
  const field = survey.fields.find(({ versions }) => versions.length > 1)!
  const name = 'PatientInsuranceInformationRecord'
  const fields = Array.from({ length: 60 }, (_, i) => ({
    ...field,
    model: name,
    field: `secondaryPolicyHolderIdentificationNumber${i}`,
  }))
  const keys = Array.from({ length: 40 }, (_, i) => ({
    ...survey.keys[i % survey.keys.length]!,
    tenant: `tenant-${'0'.repeat(i)}`,
  }))
  return { ...survey, fields, keys }
}

/** Of WCAG 2, which asks for 3 of graphics. */
function contrastToWhite(color: string): number {
  return contrast(color, '#ffffff')
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light! + 0.05) / (dark! + 0.05)
}

/** Of `#rrggbb` or `rgb(r, g, b)`. */
function luminance(color: string): number {
  const numbers = color.startsWith('#')
    ? [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
    : color.match(/\d+/g)!.map(Number)
  const [red, green, blue] = numbers
    .map((n) => n / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

describe('the pages, by day and by night', () => {
  const painted = (page: Page, selector: string, property: 'color' | 'fill' | 'backgroundColor'): Promise<string[]> =>
    page.locator(selector).evaluateAll(paintedWith, property)

  it.each(['light', 'dark'] as const)('can be read where the window is %s', async (scheme) => {
    const { page } = await show('report.html', 1200, scheme)
    const [paper] = await painted(page, 'body', 'backgroundColor')
    expect(luminance(paper!) > 0.5).toBe(scheme === 'light')
    for (const color of await painted(page, 'h1, .when, .verdict, dt, dd, small, .figures, td, th, footer', 'color'))
      expect(contrast(color, paper!)).toBeGreaterThan(4.5)
    const fills = await painted(page, '.row rect:not(.ground), .legend rect, pattern rect:first-child', 'fill')
    const plain = fills.filter((fill) => !fill.startsWith('url'))
    expect(plain.length).toBeGreaterThan(10)
    for (const fill of plain) expect(contrast(fill, paper!)).toBeGreaterThan(3)
    await page.close()
  })

  it('has each figure within the page, also that of a library with a long name', async () => {
    const former = { rows: 1_200, library: 'prisma-field-encryption' }
    const fields = survey.fields.map((field) => ({ ...field, former }))
    writeFileSync(join(migration.folder, 'former.html'), reportPage({ ...survey, fields } as Survey, ''))
    for (const width of [320, 700, 1200]) {
      const { page } = await show('former.html', width)
      const over = await page.locator('.figures span').evaluateAll(beyondMain)
      expect(over).toBe(0)
      await page.close()
    }
  })
})

describe('the page that advise --html writes, in a browser', () => {
  const tenant = '<img src=x onerror=alert(1)>"\'&'
  const advice = () => {
    const values = (from: number) => Array.from({ length: 500 }, (_, i) => 20_000 + ((from + i * 37) % 900) * 100)
    const counts = {
      rows: 1_300,
      null: 300,
      plaintext: 0,
      lost: 0,
      tenants: [
        { tenant, rows: 900 },
        { tenant: 'b', rows: 100 },
      ],
    }
    const field = { name: 'Employee.salary', field: 'salary', type: 'Int', kind: 'number', normalize: [] }
    const sample = { counts, unreadable: 0, known: values(1), tenant: { tenant, rows: 900 }, attacked: values(5) }
    return adviceOn(field as never, { ...sample, everyones: values(9) }, 'schema', () => {})
  }

  it.each([320, 1200])('runs and loads nothing, escapes names, and fits into %d pixels', async (width) => {
    writeFileSync(join(migration.folder, 'advice.html'), advicePage(advice(), new Date(0)))
    const { page, wrong } = await show('advice.html', width)
    expect(wrong).toEqual([])
    expect(await page.title()).toBe('fieldseal: what an index gives away, 1970-01-01')
    expect(await page.locator('script, link, img, iframe, [onload]').count()).toBe(0)
    expect(await page.locator('.when').textContent()).toContain(tenant)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    await page.close()
  })

  it('plots the rows that are guessed to scale', async () => {
    const { indexes } = advice()
    writeFileSync(join(migration.folder, 'advice.html'), advicePage(advice(), new Date(0)))
    const { page } = await show('advice.html', 1200)
    const bars = await barsUnder(page, 'Rows that are guessed')
    expect(bars).toHaveLength(indexes.length)
    indexes.forEach(({ exactly, nearly }, i) => {
      const parts = [exactly, nearly! - exactly, 1 - nearly!].filter((share) => share > 0)
      expect(bars[i]!.shares).toEqual(parts.map((share) => expect.closeTo(share, 2)))
    })
    await page.close()
  })
})
