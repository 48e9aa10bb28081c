import { type Command, InvalidArgumentError } from 'commander'
import { milliseconds } from '../../keys/duration.js'

/** Adds a command; its description begins as its summary, and goes on with `more`. */
export function addCommand(program: Command, name: string, summary: string, more: string): Command {
  const description = summary.charAt(0).toUpperCase() + summary.slice(1) + more
  return program.command(name).summary(summary).description(description)
}

/** Adds the options that choose rows. */
export function choosing(command: Command): Command {
  return command
    .option('--model <name...>', 'only these models')
    .option('--field <Model.field...>', 'only these fields')
    .option('--tenant <id>', 'only the rows of this tenant')
}

export function positive(text: string): number {
  const number = Number(text)
  if (number > 0) return number
  throw new InvalidArgumentError('It must be a number above 0.')
}

export function whole(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

/** `5s`, `2m`: in milliseconds. */
export function time(text: string): number {
  const value = /[a-z]$/i.test(text) ? milliseconds(text) : undefined
  if (value !== undefined) return value
  throw new InvalidArgumentError('It must be a time, such as 5s or 2m.')
}
