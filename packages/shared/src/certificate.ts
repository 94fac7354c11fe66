/**
 * What a certificate says of itself: for how long browsers take it, and for which hosts. Values
 * only; any thread.
 */
import { X509Certificate } from 'node:crypto'
import { parseAddress } from './client.ts'

export interface Certificate {
  /** In milliseconds since 1970; of the whole chain, so that nobody refuses any of it. */
  readonly validFromMs: number
  readonly validToMs: number
  /** Whether browsers take it for this host, a name or an address without brackets. */
  isFor (host: string): boolean
}

export const CERTIFICATE_PROBLEMS = ['none', 'expires_soon', 'expired', 'not_yet_valid'] as const
export type CertificateProblem = typeof CERTIFICATE_PROBLEMS[number]

export const DAY_MS = 86_400_000
/** Whoever renews in time does so earlier: usually when a third of 90 days is left. */
const SOON_MS = 14 * DAY_MS

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** The certificates of a PEM text, the server's own first; throws when one of them is broken. */
export function parseChain (pem: string): readonly X509Certificate[] {
  return (pem.match(PEM) ?? []).map(each => new X509Certificate(each))
}

/** @param pem of a chain that has been checked */
export function readCertificate (pem: string): Certificate {
  const chain = parseChain(pem)
  const own = chain[0]!
  return {
    validFromMs: Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom))),
    validToMs: Math.min(...chain.map(({ validTo }) => Date.parse(validTo))),
    // Browsers look at the alternative names only.
    isFor: host => parseAddress(host) === undefined
      ? own.checkHost(host, { subject: 'never' }) !== undefined
      : own.checkIP(host) !== undefined
  }
}

export function problemOf (
  { validFromMs, validToMs }: Certificate, nowMs: number
): CertificateProblem {
  if (nowMs < validFromMs) return 'not_yet_valid'
  if (nowMs >= validToMs) return 'expired'
  return validToMs - nowMs < SOON_MS ? 'expires_soon' : 'none'
}

/** What an operator should know, a sentence for each. */
export function warningsOf (
  certificate: Certificate, publicHosts: readonly string[], nowMs: number
): readonly string[] {
  const uncovered = publicHosts.filter(host => !certificate.isFor(host))
  const inTime = validityWarning(certificate, nowMs)
  return [
    ...(inTime === undefined ? [] : [`${inTime}. Renew TLS_CERT, then send SIGHUP`]),
    ...(uncovered.length === 0
      ? []
      : [`the certificate is not for ${uncovered.join(', ')} of PUBLIC_HOSTS: browsers refuse it there`])
  ]
}

function validityWarning (certificate: Certificate, nowMs: number): string | undefined {
  const { validFromMs, validToMs } = certificate
  const at = (ms: number): string => new Date(ms).toISOString()
  switch (problemOf(certificate, nowMs)) {
    case 'none': return undefined
    case 'not_yet_valid':
      return `the certificate is not valid before ${at(validFromMs)}: until then browsers refuse it`
    case 'expired':
      return `the certificate expired at ${at(validToMs)}: browsers refuse it`
    case 'expires_soon': {
      const days = Math.floor((validToMs - nowMs) / DAY_MS)
      const left = days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`
      return `the certificate expires in ${left}, at ${at(validToMs)}: then browsers refuse it`
    }
  }
}
