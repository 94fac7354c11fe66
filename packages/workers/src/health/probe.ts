/**
 * One health check: a GET on a connection of its own, as a browser would make one, so that names
 * are looked up and certificates verified each time. What came of it is put into words.
 */
import { Client, errors, type Dispatcher } from 'undici'
import { limitPeer } from '@usher/shared/peer-limit.ts'
import type { ExternalServer } from '@usher/shared/settings/servers.ts'
import { visibleText } from '@usher/shared/visible-text.ts'

export interface Found {
  readonly isGood: boolean
  /** `status 200`, `connection refused`. */
  readonly what: string
}

const HEADERS = { 'user-agent': 'Usher-health', accept: '*/*' }
/** More of a page is not taken. */
const BODY_BYTES_MAX = 65_536
const WHAT_LENGTH_MAX = 100
/** Of a check's timeout: undici closes a socket that does not connect by a clock of its own. */
const CLOSING_LIMITS = 2

/** Resolves within the check's timeout, and never rejects. */
export async function probe (
  { publicUrl, check }: Pick<ExternalServer, 'publicUrl' | 'check'>
): Promise<Found> {
  const { path, timeoutMs, statuses: { min, max } } = check
  const url = new URL(publicUrl + path)
  const client = new Client(url.origin, {
    pipelining: 0,
    // The limit counts for all of it; a socket that still connects then is closed by this one.
    connect: { timeout: CLOSING_LIMITS * timeoutMs, maxCachedSessions: 0 }
  })
  let isLate = false
  const endLimit = limitPeer(timeoutMs, () => {
    isLate = true
    void client.destroy() // A signal would end nothing before the connection stands.
  })
  try {
    const { statusCode, body } = await client.request({
      method: 'GET', path: url.pathname + url.search, headers: HEADERS
    })
    await discard(body)
    return { isGood: statusCode >= min && statusCode <= max, what: `status ${statusCode}` }
  } catch (error) {
    return { isGood: false, what: isLate ? TIMEOUT : wordsFor(error) }
  } finally {
    endLimit()
    void client.destroy()
  }
}

/** The status says it all: a page that breaks off or does not end changes nothing. */
async function discard (body: Dispatcher.ResponseData['body']): Promise<void> {
  await body.dump({ limit: BODY_BYTES_MAX }).catch(() => {})
}

const TIMEOUT = 'timeout'

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'host name cannot be looked up',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: TIMEOUT,
  UND_ERR_CONNECT_TIMEOUT: TIMEOUT,
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another name',
  EPROTO: 'no TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no TLS'
}

function oneLine (text: string): string {
  return visibleText(text.replaceAll(/\s+/g, ' ')).slice(0, WHAT_LENGTH_MAX)
}

/** What is not foreseen is said as it came. */
function wordsFor (error: unknown): string {
  if (error instanceof errors.HTTPParserError) return 'no HTTP'
  const { code = '', message = '' } = error as { readonly code?: string, readonly message?: string }
  return WORDS[code] ?? oneLine(message || code)
}
