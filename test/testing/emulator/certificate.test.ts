import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { makeCertificate } from '../../../src/testing/emulator/certificate.js'

describe('makeCertificate', () => {
  it('makes a certificate of its own key for this machine and further hosts, good now and not for long', () => {
    const { key, cert } = makeCertificate(['vault.example', '10.0.0.7'])
    const certificate = new X509Certificate(cert)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
    for (const host of ['localhost', 'vault.example']) expect(certificate.checkHost(host)).toBe(host)
    for (const ip of ['127.0.0.1', '::1', '10.0.0.7']) expect(certificate.checkIP(ip)).toBeDefined()
    expect([certificate.checkHost('example'), certificate.checkIP('10.0.0.8')]).toEqual([undefined, undefined])
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
    expect(from).toBeLessThan(Date.now())
    expect(to - Date.now()).toBeGreaterThan(29 * 86_400_000)
    expect(to - Date.now()).toBeLessThan(31 * 86_400_000)
  })

  it('makes another one each time', () => {
    const serials = Array.from({ length: 20 }, () => new X509Certificate(makeCertificate().cert).serialNumber)
    expect(new Set(serials).size).toBe(20)
  })

  it('makes one for as many hosts as anyone needs', () => {
    const hosts = Array.from({ length: 200 }, (_, i) => `host-${i}.example`)
    expect(new X509Certificate(makeCertificate(hosts).cert).checkHost('host-199.example')).toBe('host-199.example')
  })
})
