/**
 * Reads the certificate and the private key and makes sure that they are PEM and belong together,
 * so that a wrong pair is refused at start and not at the first handshake. Opens no socket.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readSmallFile } from './path-check.ts'

/** PEM texts, as a TLS server takes them. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

/** Each refusal is empty when its file is right; `pair` is there when both are. */
export interface TlsFiles {
  readonly pair: TlsPair | undefined
  readonly certRefusal: string
  readonly keyRefusal: string
}

type Read<T> =
  | { readonly text: string, readonly parsed: T, readonly refusal?: undefined }
  | { readonly refusal: string }

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

export function readTlsFiles (certPath: string, keyPath: string): TlsFiles {
  const cert = read(certPath, 'certificate', parseChain)
  const key = read(keyPath, 'private key without a passphrase', createPrivateKey)
  if (cert.refusal !== undefined || key.refusal !== undefined) {
    return { pair: undefined, certRefusal: cert.refusal ?? '', keyRefusal: key.refusal ?? '' }
  }
  if (!cert.parsed.checkPrivateKey(key.parsed)) {
    const keyRefusal = `it is not the key of the certificate in ${certPath}`
    return { pair: undefined, certRefusal: '', keyRefusal }
  }
  return { pair: { cert: cert.text, key: key.text }, certRefusal: '', keyRefusal: '' }
}

function read<T extends X509Certificate | KeyObject> (
  path: string, what: string, parse: (text: string) => T
): Read<T> {
  const file = readSmallFile(path)
  if (file.refusal !== undefined) return { refusal: `${path} ${file.refusal}` }
  try {
    return { text: file.text, parsed: parse(file.text) }
  } catch {
    return { refusal: `${path} holds no PEM ${what}` }
  }
}

/** The first certificate, which is the server's own; the others must be whole as well. */
function parseChain (text: string): X509Certificate {
  const chain = (text.match(CERTIFICATE) ?? []).map(pem => new X509Certificate(pem))
  if (chain[0] === undefined) throw new Error('no certificate')
  return chain[0]
}
