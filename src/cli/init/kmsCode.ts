import { KMS_NAMES, type KmsName } from './kmsNames.js'
import type { Package } from './readPackage.js'

/** How a configuration makes one of the KMSs, as its page in docs/kms shows. */
export interface KmsCode {
  readonly label: string
  /** By the module that they are imported from. */
  readonly imports: { readonly [module: string]: string }
  /** What stands before it is made. */
  readonly setup: readonly string[]
  readonly expression: string
  /** Packages beside fieldseal. */
  readonly packages: readonly string[]
  /** What the environment has to say. */
  readonly variables: readonly string[]
  /** Its page in docs/. */
  readonly page: string
}

const KMS_CODE: { readonly [name in KmsName]: KmsCode } = {
  local: {
    label: 'none yet: a key in .env, for development',
    imports: { 'fieldseal/local-kms': '{ localKms }' },
    setup: [],
    expression: `localKms({ env: 'FIELDSEAL_KEY' })`,
    packages: [],
    variables: ['FIELDSEAL_KEY'],
    page: 'kms/README.md',
  },
  tencent: {
    label: 'Tencent Cloud KMS',
    imports: { 'fieldseal/tencent-kms': '{ tencentKms }', 'tencentcloud-sdk-nodejs-kms': '{ kms }' },
    setup: [
      'const kmsClient = new kms.v20190118.Client({',
      '  credential: {',
      `    secretId: process.env.TENCENTCLOUD_SECRET_ID ?? '',`,
      `    secretKey: process.env.TENCENTCLOUD_SECRET_KEY ?? '',`,
      '  },',
      `  region: process.env.TENCENTCLOUD_REGION ?? '',`,
      '})',
    ],
    expression: `tencentKms({ client: kmsClient, keyId: process.env.KMS_KEY_ID ?? '' })`,
    packages: ['tencentcloud-sdk-nodejs-kms'],
    variables: ['TENCENTCLOUD_SECRET_ID', 'TENCENTCLOUD_SECRET_KEY', 'TENCENTCLOUD_REGION', 'KMS_KEY_ID'],
    page: 'kms/tencent.md',
  },
  aws: {
    label: 'AWS KMS',
    imports: { '@aws-sdk/client-kms': '{ KMS }', 'fieldseal/aws-kms': '{ awsKms }' },
    setup: ['const kmsClient = new KMS({ maxAttempts: 1 })'],
    expression: `awsKms({ client: kmsClient, keyId: process.env.KMS_KEY_ARN ?? '' })`,
    packages: ['@aws-sdk/client-kms'],
    variables: ['AWS_REGION', 'KMS_KEY_ARN'],
    page: 'kms/aws.md',
  },
  google: {
    label: 'Google Cloud KMS',
    imports: { '@google-cloud/kms': '{ KeyManagementServiceClient }', 'fieldseal/google-kms': '{ googleKms }' },
    setup: ['const kmsClient = new KeyManagementServiceClient()'],
    expression: `googleKms({ client: kmsClient, keyId: process.env.KMS_KEY_NAME ?? '' })`,
    packages: ['@google-cloud/kms'],
    variables: ['KMS_KEY_NAME'],
    page: 'kms/google.md',
  },
  azure: {
    label: 'Azure Managed HSM',
    imports: {
      '@azure/identity': '{ DefaultAzureCredential }',
      '@azure/keyvault-keys': '{ CryptographyClient }',
      'fieldseal/azure-kms': '{ azureKms }',
    },
    setup: [
      'const credential = new DefaultAzureCredential()',
      'const keys = azureKms({',
      '  client: (key) => new CryptographyClient(key, credential, { retryOptions: { maxRetries: 0 } }),',
      `  keyId: process.env.KMS_KEY_URL ?? '',`,
      '})',
    ],
    expression: 'keys',
    packages: ['@azure/keyvault-keys', '@azure/identity'],
    variables: ['KMS_KEY_URL'],
    page: 'kms/azure.md',
  },
  vault: {
    label: 'HashiCorp Vault, OpenBao',
    imports: { 'fieldseal/vault': '{ appRoleLogin, vaultKms }' },
    setup: [
      `const { VAULT_ADDR: address = '', VAULT_ROLE_ID: roleId = '', VAULT_SECRET_ID: secretId = '' } = process.env`,
      `const keys = vaultKms({ address, login: appRoleLogin({ roleId, secretId }), keyId: process.env.VAULT_KEY ?? '' })`,
    ],
    expression: 'keys',
    packages: [],
    variables: ['VAULT_ADDR', 'VAULT_ROLE_ID', 'VAULT_SECRET_ID', 'VAULT_KEY'],
    page: 'kms/vault.md',
  },
  pkcs11: {
    label: 'PKCS#11: network HSMs, SoftHSM',
    imports: { 'fieldseal/pkcs11': '{ pkcs11Kms }', pkcs11js: '{ PKCS11 }' },
    setup: [
      'const pkcs11 = new PKCS11()',
      `pkcs11.load(process.env.PKCS11_MODULE ?? '')`,
      `const { TOKEN_LABEL: token = '', TOKEN_PIN: pin = '', TOKEN_KEY: keyId = '' } = process.env`,
    ],
    expression: 'pkcs11Kms({ pkcs11, token, pin, keyId })',
    packages: ['pkcs11js'],
    variables: ['PKCS11_MODULE', 'TOKEN_LABEL', 'TOKEN_PIN', 'TOKEN_KEY'],
    page: 'kms/pkcs11.md',
  },
}

export function kmsCode(name: KmsName): KmsCode {
  return KMS_CODE[name]
}

/** The one whose SDK a project has. */
export function installedKms(found: Package): KmsName {
  const has = { ...found.dependencies, ...found.devDependencies }
  return KMS_NAMES.find((name) => kmsCode(name).packages.some((one) => one in has)) ?? 'local'
}

/** `import { a } from 'a'`, in the order of the modules. */
export function importLines(imports: { readonly [module: string]: string }): string {
  return Object.keys(imports)
    .sort()
    .map((module) => `import ${imports[module]} from '${module}'\n`)
    .join('')
}
