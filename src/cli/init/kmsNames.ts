/** The KMSs that init knows, in the order of README.md; apart from their code, which a shell that completes does not need. */
export const KMS_NAMES = ['local', 'tencent', 'aws', 'google', 'azure', 'vault', 'pkcs11'] as const

export type KmsName = (typeof KMS_NAMES)[number]
