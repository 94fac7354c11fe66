/**
 * Reads the certificate and the private key and makes sure that they are PEM and belong together,
 * so that a wrong pair is refused at start and not at the first handshake. Opens no socket.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { parseChain } from '../certificate.ts'
import { refusalOfPair, type TlsPair } from '../http/tls-context.ts'
import { readSmallFile } from './path-check.ts'

/** Each refusal is empty when its file is right; `pair` is there when both are. */
export interface TlsFiles {
  readonly pair: TlsPair | undefined
  readonly certRefusal: string
  readonly keyRefusal: string
}

type Read<T> =
  | { readonly text: string, readonly parsed: T, readonly refusal?: undefined }
  | { readonly refusal: string }

export function readTlsFiles (certPath: string, keyPath: string): TlsFiles {
  const cert = read(certPath, 'certificate', firstOfChain)
  const key = read(keyPath, 'private key without a passphrase', createPrivateKey)
  if (cert.refusal !== undefined || key.refusal !== undefined) {
    return { pair: undefined, certRefusal: cert.refusal ?? '', keyRefusal: key.refusal ?? '' }
  }
  if (!cert.parsed.checkPrivateKey(key.parsed)) {
    const keyRefusal = `it is not the key of the certificate in ${certPath}`
    return { pair: undefined, certRefusal: '', keyRefusal }
  }
  const pair = { cert: cert.text, key: key.text }
  const refusal = refusalOfPair(pair)
  if (refusal === '') return { pair, certRefusal: '', keyRefusal: '' }
  return { pair: undefined, certRefusal: `TLS cannot use ${certPath}: ${refusal}`, keyRefusal: '' }
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
function firstOfChain (text: string): X509Certificate {
  const [first] = parseChain(text)
  if (first === undefined) throw new Error('no certificate')
  return first
}
