import { dirname, join } from 'node:path'
import type { GeneratorBlock, ModuleFormat } from './options.js'
import { isGenerated, readIfThere } from './outputFolder.js'

/** What the Prisma client generator of the same schema says, if it does. */
export function clientModuleFormat(generators: readonly GeneratorBlock[]): ModuleFormat | undefined {
  const formats = generators.filter(isClient).map(({ config }) => config.moduleFormat)
  return formats.find((format) => format === 'esm' || format === 'cjs')
}

/** How Node reads a `.js` file in `folder`: by the `type` of the nearest package.json that is not our own. */
export function nodeModuleFormat(folder: string): ModuleFormat {
  const text = readIfThere(join(folder, 'package.json'))
  if (text !== undefined && !isGenerated(text)) return packageType(text)
  const parent = dirname(folder)
  return parent === folder ? 'cjs' : nodeModuleFormat(parent)
}

/** Whether the block generates a Prisma client. */
export function isClient(block: GeneratorBlock): boolean {
  return isTypeScriptClient(block) || block.provider.value === 'prisma-client-js'
}

/** Whether the block generates a Prisma client as TypeScript source. */
export function isTypeScriptClient({ provider }: GeneratorBlock): boolean {
  return provider.value === 'prisma-client'
}

function packageType(text: string): ModuleFormat {
  try {
    return (JSON.parse(text) as { type?: unknown } | null)?.type === 'module' ? 'esm' : 'cjs'
  } catch {
    return 'cjs'
  }
}
