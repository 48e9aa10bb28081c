import { PassThrough } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { duration, humanTerminal, tableText } from '../../src/cli/terminal.js'

/** A terminal of a given width, or a pipe. */
function screen(columns?: number) {
  const printed: string[] = []
  const stream = new PassThrough()
  stream.on('data', (chunk) => printed.push(String(chunk)))
  const stdout = Object.assign(
    stream,
    columns === undefined ? {} : { isTTY: true, columns },
  ) as unknown as NodeJS.WriteStream
  const stdin = { isTTY: columns !== undefined } as NodeJS.ReadStream
  const resize = (to: number) => Object.assign(stdout, { columns: to })
  return { terminal: humanTerminal(stdout, stdin), text: () => printed.join(''), resize }
}

describe('the output for people', () => {
  it('shows a bar in a terminal, takes it away for what is printed, and asks', () => {
    const { terminal, text } = screen(110)
    terminal.progress({ name: 'User', done: 500, total: 1000, unit: 'row' })
    terminal.say('something happens')
    terminal.progress({ name: 'User', done: 900, total: 1000, unit: 'row' })
    terminal.settle()
    expect(text()).toMatch(/User █+░+ 50 % {2}500 of about 1,000 rows/)
    expect(text()).toContain('something happens\n')
    expect(terminal.asks).toBe(true)
  })

  it('shortens the line in a narrow window', () => {
    const { terminal, text } = screen(60)
    terminal.progress({ name: 'User', done: 500, total: 1000, unit: 'row' })
    terminal.settle()
    expect(text()).toContain('User 50 % ')
    expect(text()).not.toContain('█')
  })

  it('follows the window when it is made narrower or wider', () => {
    const { terminal, text, resize } = screen(110)
    terminal.progress({ name: 'User', done: 500, total: 1000, unit: 'row' })
    resize(40)
    terminal.progress({ name: 'User', done: 600, total: 1000, unit: 'row' })
    const narrow = text().slice(text().indexOf('60 %'))
    expect(narrow).toMatch(/^60 % .+ left User/)
    expect(narrow).not.toContain('█')
    resize(110)
    terminal.progress({ name: 'User', done: 700, total: 1000, unit: 'row' })
    terminal.settle()
    expect(text()).toMatch(/User █+░+ 70 % {2}700 of about 1,000 rows/)
  })

  it('has no bar, no colour and no question where there is no terminal', () => {
    const { terminal, text } = screen()
    terminal.progress({ name: 'User', done: 500, total: 1000, unit: 'row' })
    terminal.say('done')
    terminal.settle()
    expect(text()).toBe('done\n')
    expect(terminal.asks).toBe(false)
  })

  it('shows a table as lines of its own where it does not fit', () => {
    const table = [
      ['tenant', 'messages'],
      [
        ['acme', 12],
        ['globex', 7],
      ],
    ] as const
    expect(tableText(...table)).toContain('│ acme   │ 12       │')
    expect(tableText(...table, 12)).toBe('tenant: acme\nmessages: 12\n\ntenant: globex\nmessages: 7')
  })

  it.each([
    [4.6, '5 s'],
    [184, '3 min 04 s'],
    [3_725, '1 h 02 min'],
  ])('tells %d seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text))
})
