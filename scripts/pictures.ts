/** Makes docs/pictures/*.svg: `npm run pictures`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parsePicture, renderBadges, renderPicture } from './lib/pictures.js'

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const folder = 'docs/pictures'

/** The pictures as they should be, by their paths: one for each text, and the badges, which package.json knows. */
export function pictures(): Map<string, string> {
  const texts = readdirSync(at(folder)).filter((name) => name.endsWith('.txt'))
  const made = texts.map((name): [string, string] => {
    const text = readFileSync(at(`${folder}/${name}`), 'utf8')
    return [`${folder}/${name.replace(/txt$/, 'svg')}`, renderPicture(parsePicture(text))]
  })
  return new Map([...made, [`${folder}/badges.svg`, renderBadges(badges())]])
}

function badges(): [string, string][] {
  const { license, engines, peerDependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
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
  for (const [path, svg] of pictures()) writeFileSync(at(path), svg)
