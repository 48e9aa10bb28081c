import { build } from 'esbuild'

await build({
  entryPoints: ['src/clinic.ts'],
  outfile: 'dist/clinic.cjs',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['fieldseal', '@prisma/client', 'pg-native'],
})
