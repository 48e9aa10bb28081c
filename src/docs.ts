/**
 * Where a page of the documentation can be read, for messages: a path of this repository is none of a user's project.
 *
 * @param page its path in docs/, such as `errors.md`
 */
export function docsAt(page: string): string {
  return `https://github.com/fieldseal/fieldseal/blob/main/docs/${page}`
}
