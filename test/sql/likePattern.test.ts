import { expect, it } from '@jest/globals'
import { likePattern } from '../../src/sql/likePattern.js'

it.each([
  ['Ada%', 'startsWith', 'Ada'],
  ['Ada%%', 'startsWith', 'Ada'],
  ['%ce', 'endsWith', 'ce'],
  ['%a L%', 'contains', 'a L'],
  ['%', 'contains', ''],
  ['50\\%%', 'startsWith', '50%'],
  ['\\_\\\\%', 'startsWith', '_\\'],
  ['\\A\\d%', 'startsWith', 'Ad'],
  ['%\\%', 'endsWith', '%'],
  ['%\\\\', 'endsWith', '\\'],
  ['a\nb%', 'startsWith', 'a\nb'],
  ['\\\n%', 'startsWith', '\n'],
  ['👩‍🚀%', 'startsWith', '👩‍🚀'],
  ['\\👩%', 'startsWith', '👩'],
])('reads %j', (pattern, operator, text) => {
  expect(likePattern(pattern)).toEqual({ operator, text })
})

it.each([
  ['Ada', 'compare by ='],
  ['', 'compare by ='],
  ['Ada\\%', 'compare by ='],
  ['A%a', '"%" inside'],
  ['%A%a%', '"%" inside'],
  ['A_a%', 'has a "_"'],
  ['Ada%\\', 'ends with a "\\"'],
])('says why no index answers %j', (pattern, why) => {
  expect(likePattern(pattern)).toContain(why)
})
