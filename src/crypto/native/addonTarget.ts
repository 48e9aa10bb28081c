/** What decides which of the binaries in prebuilds/ can be loaded here. */
export interface Platform {
  /** `process.platform` */
  readonly platform: string
  /** `process.arch` */
  readonly arch: string
  /** The version of glibc that the process runs on; `undefined` with another C library, such as musl. */
  readonly glibc: string | undefined
  /** The version of Node-API. */
  readonly nodeApi: number
}

/** NAPI_VERSION in native/fieldseal.c. */
const NODE_API = 8
const SHIPPED = new Set([
  'linux-x64-glibc',
  'linux-arm64-glibc',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64',
  'win32-arm64',
])

/**
 * The folder in prebuilds/ with the binary for a platform.
 *
 * @throws Error that says why there is none
 */
export function addonTarget({ platform, arch, glibc, nodeApi }: Platform): string {
  if (!(nodeApi >= NODE_API)) throw new Error(`it needs Node-API ${NODE_API}, which this runtime does not have`)
  const libc = glibc === undefined ? '-musl' : '-glibc'
  const target = `${platform}-${arch}${platform === 'linux' ? libc : ''}`
  if (!SHIPPED.has(target)) throw new Error(`no binary is shipped for ${target}`)
  return target
}

/** The platform of this process. */
export function thisPlatform(): Platform {
  const { platform, arch, versions } = process
  const glibc = platform === 'linux' ? glibcVersion() : undefined
  return { platform, arch, glibc, nodeApi: Number(versions.napi) }
}

interface Report {
  readonly header: { readonly glibcVersionRuntime?: string }
}

/** Without what the report would ask the network for: the names of those that sockets are connected to. */
function glibcVersion(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    return (report.getReport() as unknown as Report).header.glibcVersionRuntime
  } finally {
    report.excludeNetwork = before
  }
}
