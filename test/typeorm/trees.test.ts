import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Branch, Folder, Nest } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT } from './people.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
})
afterAll(() => source?.close())

describe.each([
  ['nested sets', Nest],
  ['closure tables', Branch],
  ['materialized paths', Folder],
] as const)('a tree by %s', (_, Tree) => {
  let root: Nest
  beforeAll(async () => {
    const { manager } = source.dataSource
    root = (await manager.save(Tree, { label: 'root' })) as Nest
    const child = await manager.save(Tree, { label: 'child', parent: root } as never)
    await manager.save(Tree, { label: 'leaf', parent: child } as never)
  })
  const repository = () => source.dataSource.getTreeRepository<Nest>(Tree as typeof Nest)

  it('is stored as ciphertext', async () => {
    const { tableName } = source.dataSource.getMetadata(Tree)
    const rows = await source.stored(`SELECT label FROM ${tableName}`)
    expect(rows).toHaveLength(3)
    for (const { label } of rows) expect(label).toMatch(CIPHERTEXT)
  })

  it('comes whole', async () => {
    expect(await repository().findTrees()).toMatchObject([
      { label: 'root', children: [{ label: 'child', children: [{ label: 'leaf', children: [] }] }] },
    ])
    expect((await repository().findRoots()).map(({ label }) => label)).toEqual(['root'])
  })

  it('comes in parts', async () => {
    const leaf = (await repository().find()).find(({ label }) => label === 'leaf')!
    const labels = (nodes: Nest[]) => nodes.map(({ label }) => label).sort()
    expect(labels(await repository().findDescendants(root))).toEqual(['child', 'leaf', 'root'])
    expect(labels(await repository().findAncestors(leaf))).toEqual(['child', 'leaf', 'root'])
    expect(await repository().countDescendants(root)).toBe(3)
    const { parent } = await repository().findAncestorsTree(leaf)
    expect([parent!.label, parent!.parent!.label]).toEqual(['child', 'root'])
    const { children } = await repository().findDescendantsTree(root)
    expect(children).toMatchObject([{ label: 'child', children: [{ label: 'leaf' }] }])
  })
})
