import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A private key and its certificate, both PEM, as `https.createServer` takes them. */
export interface Certificate {
  readonly key: string
  /** What a client is to trust: its option `ca`. */
  readonly cert: string
}

const HOSTS = ['localhost', '127.0.0.1', '::1']
const DAY = 86_400_000

/** DER tags, ITU-T X.690 §8. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87,
} as const

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
} as const

/**
 * Makes a self-signed certificate (RFC 5280) for hosts of this machine, good for 30 days: Node.js signs, but makes no
 * certificates, and a library that does would come to everybody who installs this one. Each start has one of its own, so
 * that trusting it trusts nothing else; the key never leaves the process.
 *
 * @param hosts further names and IPv4 addresses that it is for
 */
export function makeCertificate(hosts: readonly string[] = []): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const toBeSigned = tbsCertificate(publicKey, [...new Set([...HOSTS, ...hosts])])
  const signature = der('bitString', Buffer.of(0), sign('sha256', toBeSigned, privateKey))
  const certificate = der('sequence', toBeSigned, algorithm(), signature)
  return { key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), cert: pem(certificate) }
}

function tbsCertificate(publicKey: KeyObject, hosts: readonly string[]): Buffer {
  const name = der('sequence', der('set', der('sequence', oid('commonName'), der('utf8', 'fieldseal emulator'))))
  const validity = der('sequence', time(Date.now() - DAY), time(Date.now() + 30 * DAY))
  const serial = der('integer', Buffer.of(1), randomBytes(15))
  const names = der('sequence', ...hosts.map(generalName))
  const isItsOwnIssuer = der('sequence', der('boolean', Buffer.of(0xff)))
  const extensions = der(
    'sequence',
    der('sequence', oid('subjectAltName'), der('octetString', names)),
    der('sequence', oid('basicConstraints'), der('boolean', Buffer.of(0xff)), der('octetString', isItsOwnIssuer)),
  )
  return der(
    'sequence',
    der('version', der('integer', Buffer.of(2))),
    serial,
    algorithm(),
    name,
    validity,
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der('extensions', extensions),
  )
}

function generalName(host: string): Buffer {
  if (host === '::1') return der('ipAddress', Buffer.alloc(15), Buffer.of(1))
  return isIPv4(host) ? der('ipAddress', Buffer.from(host.split('.').map(Number))) : der('dnsName', host)
}

function algorithm(): Buffer {
  return der('sequence', oid('ecdsaWithSha256'))
}

function oid(name: keyof typeof OID): Buffer {
  return der('oid', Buffer.from(OID[name], 'hex'))
}

/** UTCTime has two digits for the year, and serves until 2049. */
function time(milliseconds: number): Buffer {
  return der('utcTime', `${new Date(milliseconds).toISOString().replace(/\D/g, '').slice(2, 14)}Z`)
}

function der(tag: keyof typeof TAG, ...parts: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.of(TAG[tag]), length(content.length), content])
}

/** One byte below 128; else the number of bytes that follow, and these. */
function length(bytes: number): Buffer {
  if (bytes < 128) return Buffer.of(bytes)
  return bytes < 256 ? Buffer.of(0x81, bytes) : Buffer.of(0x82, bytes >> 8, bytes & 0xff)
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
