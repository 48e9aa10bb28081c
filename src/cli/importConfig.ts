import { createRequire } from 'node:module'
import { createJiti, type Jiti, type TransformOptions } from 'jiti'
import type { FieldsealConfig } from './config.js'

type TypeScript = typeof import('typescript')

/** TypeScript 7 compiles by its command alone. */
const NO_COMPILER =
  'it imports classes with decorators, which the TypeScript of this project cannot compile for others: have typescript@5 or 6 ' +
  'beside it, or give a configuration that imports what is compiled already'

/** Where a decorator may stand; not the `@` of a package's name, of a comment or of a Prisma schema in a text. */
const DECORATOR = /(?:^|[(,;{}]|\*\/|\b(?:export|default)\b)[^\S\r\n]*@(?!link)[\p{ID_Start}$_(]/mu

/**
 * Loads a configuration, in TypeScript or not.
 *
 * @throws whatever is wrong with it
 */
export function importConfig(path: string): Promise<FieldsealConfig | undefined> {
  const plain = createJiti(import.meta.url)
  const transform = (options: TransformOptions) => ({ code: transformed(plain, path, options) })
  const jiti = createJiti(import.meta.url, { tryNative: true, transform })
  return jiti.import<FieldsealConfig | undefined>(path, { default: true })
}

/** Entities have decorators, on fields that jiti cannot compile by itself: TypeScript is where they are written. */
function transformed(jiti: Jiti, path: string, options: TransformOptions): string {
  const { source, filename = 'config.ts' } = options
  const typescript = options.ts && DECORATOR.test(source) ? typescriptOf(path) : undefined
  if (!typescript) return jiti.transform(options)
  if (!('transpileModule' in typescript)) throw new Error(NO_COMPILER)
  const { ModuleKind, ScriptTarget } = typescript
  const compilerOptions = {
    ...{ target: ScriptTarget.ES2022, module: ModuleKind.ESNext, inlineSourceMap: true },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true, useDefineForClassFields: false },
  }
  const { outputText } = typescript.transpileModule(source, { fileName: filename, compilerOptions })
  return jiti.transform({ ...options, source: outputText, ts: false })
}

/** Of the project, if it has it. It takes half a second to load: only for what needs it. */
function typescriptOf(path: string): TypeScript | undefined {
  try {
    return createRequire(path)('typescript') as TypeScript
  } catch {
    return undefined
  }
}
