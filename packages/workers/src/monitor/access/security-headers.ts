/**
 * What every answer of the monitor tells a browser, pages, data and streams alike: whose scripts
 * may run in it, and which other pages may have anything to do with it. Pure.
 */

/**
 * A page of one of our servers is same-site with the monitor, so `same-site` would let it embed
 * what its operator may see.
 */
const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; connect-src 'self'; font-src 'self'; manifest-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
} as const

/** Browsers heed it over HTTPS only, and complain of it in their console otherwise. */
const WHEN_SECURE = { ...ALWAYS, 'Cross-Origin-Opener-Policy': 'same-origin' } as const

/** @param isSecure whether the browser speaks HTTPS, to us or to the proxy in front */
export function securityHeaders (isSecure: boolean): Readonly<Record<string, string>> {
  return isSecure ? WHEN_SECURE : ALWAYS
}
