import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from '@jest/globals'
import { trackStorages } from './asyncStorages.cjs'

it('disables the storages that a test file has used, which may be used again', () => {
  class Storage<T> extends AsyncLocalStorage<T> {}
  const disableAll = trackStorages(Storage)
  const [ran, entered] = [new Storage<string>(), new Storage<string>()]
  const found = ran.run('a', () => {
    entered.enterWith('b')
    const before = [ran.getStore(), entered.getStore()]
    disableAll()
    return { before, after: [ran.getStore(), entered.getStore()] }
  })
  expect(found).toEqual({ before: ['a', 'b'], after: [undefined, undefined] })
  expect(ran.run('c', () => ran.getStore())).toBe('c')
})
