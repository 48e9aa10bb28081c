import { defineConfig } from 'tsdown'

const library = {
  index: 'src/index.ts',
  'prisma/index': 'src/prisma/index.ts',
  'typeorm/index': 'src/typeorm/index.ts',
  'formerFormats/index': 'src/formerFormats/index.ts',
  'kms/tencent': 'src/kms/tencent/tencentKms.ts',
  'kms/google': 'src/kms/google/googleKms.ts',
  'kms/azure': 'src/kms/azure/azureKms.ts',
  'kms/aws': 'src/kms/aws/awsKms.ts',
  'kms/local': 'src/kms/localKms.ts',
  'kms/hierarchical': 'src/kms/hierarchical/hierarchicalKms.ts',
  'kms/pkcs11': 'src/kms/pkcs11/pkcs11Kms.ts',
  'kms/redundant': 'src/kms/redundant/redundantKms.ts',
  'kms/vault': 'src/kms/vault/vaultKms.ts',
  'kms/tenant': 'src/kms/tenant/tenantKms.ts',
  'audit-log': 'src/auditLog/auditLog.ts',
  opentelemetry: 'src/opentelemetry.ts',
  'testing/index': 'src/testing/index.ts',
}

const commands = {
  'bin/fieldseal': 'src/bin/fieldseal.ts',
  'bin/fieldseal-generator': 'src/bin/fieldseal-generator.ts',
  'bin/kms-emulator': 'src/bin/kms-emulator.ts',
}

const common = { platform: 'node', target: 'node20.19', fixedExtension: false } as const

export default defineConfig([
  { ...common, entry: { ...library, ...commands }, format: 'esm', dts: { entry: Object.values(library) } },
  { ...common, entry: library, format: 'cjs', dts: true, checks: { legacyCjs: false } },
])
