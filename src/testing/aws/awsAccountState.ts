import { readState, writeState } from '../emulator/stateFile.js'
import { AwsAccount, type AwsRegionContent } from './awsAccount.js'
import type { AwsKey, KeyMaterial } from './awsKey.js'

interface SavedMaterial {
  readonly id: string
  readonly bytes: string
}

interface SavedState {
  readonly format: 1
  readonly accountId: string
  readonly regions: readonly (Omit<AwsRegionContent, 'keys'> & {
    readonly keys: readonly (Omit<AwsKey, 'materials'> & { readonly materials: readonly SavedMaterial[] })[]
  })[]
}

/** The account that an earlier run left in the file, or a new one, which is written there at each change. */
export function accountInFile(
  file: string,
  options: { readonly accountId?: string; readonly now: () => number },
): AwsAccount {
  const saved = readState(file, revive)
  let reading = true
  const changed = (account: AwsAccount) => (reading ? undefined : writeAccount(file, account))
  const accountId = saved?.accountId ?? options.accountId
  const account = new AwsAccount({ ...options, ...(accountId === undefined ? {} : { accountId }), changed })
  if (saved) restore(account, saved)
  reading = false
  return account
}

function writeAccount(file: string, { accountId, regions }: AwsAccount): void {
  const saved = regions.map(({ keys, ...region }) => ({
    ...region,
    keys: keys.map((key) => ({ ...key, materials: key.materials.map(savedMaterial) })),
  }))
  writeState(file, { format: 1, accountId, regions: saved } satisfies SavedState)
}

function savedMaterial({ id, bytes }: KeyMaterial): SavedMaterial {
  return { id, bytes: bytes.toString('base64') }
}

function revive(saved: unknown): SavedState | undefined {
  const { format, regions } = saved as SavedState
  return format === 1 && Array.isArray(regions) ? (saved as SavedState) : undefined
}

/** Keys of one id, in whatever region, share their materials. */
function restore(account: AwsAccount, { regions }: SavedState): void {
  const materials = new Map<string, KeyMaterial[]>()
  for (const { region, keys, aliases } of regions) {
    const here = account.region(region)
    for (const key of keys) {
      const own = key.materials.map(({ id, bytes }) => ({ id, bytes: Buffer.from(bytes, 'base64') }))
      const shared = materials.get(key.keyId) ?? own
      materials.set(key.keyId, shared)
      here.add({ ...key, materials: shared })
    }
    for (const { name, keyId } of aliases) here.addAlias(name, keyId)
  }
}
