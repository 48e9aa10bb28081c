/** What stands for all that a mask leaves out, however much that is. */
export const HIDDEN = '•••'

/** Shows nothing, not even whether the text is empty. */
export function maskHidden(_: string): string {
  return HIDDEN
}
