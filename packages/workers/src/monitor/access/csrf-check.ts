/**
 * CSRF check: tells an operator's own action from one that another site's page makes their browser
 * send. Cookies ignore ports, so a page on one of our servers is same-site with the monitor and
 * SameSite does not help: Sec-Fetch-Site, Origin and Content-Type decide. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { parseAuthority } from '@usher/shared/http/vocabulary/authority.ts'
import type { RequestSource } from '@usher/shared/http/vocabulary/forwarded.ts'
import { ApiError } from '../errors/api-error.ts'

export const JSON_TYPE = 'application/json'
export const FORM_TYPE = 'application/x-www-form-urlencoded'

const HTTP_PORT = 80
const HTTPS_PORT = 443

/**
 * Why a POST is refused before anything else of it is looked at; undefined for a genuine one.
 * @param takesForm whether this route takes a form besides JSON
 */
export function csrfRefusal (
  headers: IncomingHttpHeaders, source: RequestSource, takesForm: boolean
): ApiError | undefined {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return csrf('Sec-Fetch-Site', String(site))
  if (origin !== undefined && !isOwnOrigin(origin, source)) return csrf('Origin', origin)
  if (mediaType(headers) !== FORM_TYPE || !takesForm) return bodyRefusal(headers, takesForm)
  if (isCoded(headers)) return coded()
  // Any page may post a form without asking; only the monitor's own pages name it as their origin.
  return origin === undefined ? csrf('Origin', 'missing') : undefined
}

/** Why a POST of JSON is refused by what its head says of the body. */
export function bodyRefusal (
  headers: IncomingHttpHeaders, takesForm = false
): ApiError | undefined {
  if (isCoded(headers)) return coded()
  return mediaType(headers) === JSON_TYPE ? undefined : unsupported(takesForm)
}

/**
 * Why a GET with a session is refused: another origin's page could not read the answer, but would
 * have it made, and keep the session in use. A link that is followed opens a page of ours.
 */
export function embeddingRefusal (
  headers: IncomingHttpHeaders, source: RequestSource
): ApiError | undefined {
  const { origin } = headers
  if (origin !== undefined && !isOwnOrigin(origin, source)) return csrf('Origin', origin)
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination = 'document' } = headers
  return mode === 'navigate' && destination === 'document'
    ? undefined
    : csrf('Sec-Fetch-Site', String(site))
}

/** Whether what was posted is a form, which a person without JavaScript sends. */
export function isForm (headers: IncomingHttpHeaders): boolean {
  return mediaType(headers) === FORM_TYPE
}

/** Empty for several types, which are several lines of the field: any could be meant. */
function mediaType ({ 'content-type': type = '' }: IncomingHttpHeaders): string {
  if (type.includes(',')) return ''
  return type.split(';', 1)[0]!.trim().toLowerCase()
}

function isCoded ({ 'content-encoding': coding = 'identity' }: IncomingHttpHeaders): boolean {
  return coding.trim().toLowerCase() !== 'identity'
}

/** RFC 9110 section 15.5.16: which codings are taken is said by Accept-Encoding. */
function coded (): ApiError {
  return new ApiError('unsupported_media_type', 'Compressed bodies are not accepted.',
    { 'Accept-Encoding': 'identity' })
}

function csrf (field: string, value: string): ApiError {
  const shown = JSON.stringify(value.slice(0, 100))
  return new ApiError('forged_action',
    `Only the monitor's own pages and scripts may do this: ${field} is ${shown}.`)
}

function unsupported (takesForm: boolean): ApiError {
  const allowed = takesForm ? `${JSON_TYPE} or ${FORM_TYPE}` : JSON_TYPE
  return new ApiError('unsupported_media_type', `Content-Type must be ${allowed}.`)
}

/**
 * Scheme, host and port, with the port that a scheme stands for. An origin of `null` is never our
 * own.
 */
function isOwnOrigin (origin: string, { authority = '', isSecure }: RequestSource): boolean {
  const [, scheme, named = ''] = /^(https?):\/\/([^/]+)$/.exec(origin) ?? []
  const theirs = parseAuthority(named)
  const ours = parseAuthority(authority)
  if (scheme === undefined || theirs === undefined || ours === undefined) return false
  const defaultPort = isSecure ? HTTPS_PORT : HTTP_PORT
  return scheme === (isSecure ? 'https' : 'http') && theirs.host === ours.host &&
    (theirs.port ?? defaultPort) === (ours.port ?? defaultPort)
}
