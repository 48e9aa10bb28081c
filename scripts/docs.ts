/** Makes what docs/ and llms.txt have from other texts and from the code: `npm run docs`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { llmsText } from './lib/llmsText.js'
import { parsePicture, renderBadges, renderPicture } from './lib/pictures.js'
import { reference } from './lib/reference.js'

const read = (path: string) => readFileSync(resolve(path), 'utf8')
const folder = 'docs/pictures'

/** The files as they should be, by their paths. */
export function madeDocuments(): Map<string, string> {
  return new Map([
    ...pictures(),
    [`${folder}/badges.svg`, renderBadges(badges())],
    ['docs/reference.md', reference()],
    ['llms.txt', llmsText(read('README.md'), read('docs/README.md'))],
  ])
}

function pictures(): [path: string, svg: string][] {
  const names = readdirSync(resolve(folder)).filter((name) => name.endsWith('.txt'))
  return names.map((name) => {
    const svg = renderPicture(parsePicture(read(`${folder}/${name}`)))
    return [`${folder}/${name.replace(/txt$/, 'svg')}`, svg]
  })
}

/** What package.json knows. */
function badges(): [name: string, value: string][] {
  const { license, engines, peerDependencies } = JSON.parse(read('package.json'))
  const since = (range: string) => range.replaceAll('>=', '≥')
  return [
    ['license', license],
    ['Node.js', since(engines.node)],
    ['Prisma', since(peerDependencies['@prisma/client'])],
    ['TypeORM', since(peerDependencies.typeorm)],
    ['database', 'PostgreSQL'],
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [path, text] of madeDocuments()) writeFileSync(resolve(path), text)
