/**
 * How every port speaks TLS, and whether a certificate and its key can be used for it. Opens
 * nothing.
 */
/** PEM texts. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

/** Of TLS 1.3, and of TLS 1.2 those with forward secrecy and authenticated encryption. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'
]

/** As a server takes them, at its start and with each new pair. */
export function tlsOptions ({ cert, key }: TlsPair) {
  return { cert, key, minVersion: 'TLSv1.2', ciphers: CIPHERS.join(':') } as const
}

/** Why TLS cannot use a pair that is whole and belongs together; empty when it can. */
export function refusalOfPair (pair: TlsPair): string {
  try {
    process.getBuiltinModule('node:tls').createSecureContext(tlsOptions(pair))
    return ''
  } catch (error) {
    return (error as Error & { readonly reason?: string }).reason ?? (error as Error).message
  }
}
