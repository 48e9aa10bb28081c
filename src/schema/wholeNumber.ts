/** Whether an option is a whole number from one to another, both included. */
export function isWholeWithin(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}
