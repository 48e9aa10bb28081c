import type { NextConfig } from 'next'

export default {
  output: 'standalone',
  serverExternalPackages: ['fieldseal'],
  outputFileTracingIncludes: { '/*': ['./node_modules/fieldseal/prebuilds/**'] },
} satisfies NextConfig
