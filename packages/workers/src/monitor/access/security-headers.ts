/**
 * What every answer of the monitor tells a browser, pages, data and streams alike: whose scripts
 * may run in it, and which other pages may have anything to do with it. Pure.
 */

/** The console copies ids to the clipboard; it asks for nothing else that a browser guards. */
const FEATURES_NOT_USED = [
  'accelerometer', 'autoplay', 'camera', 'display-capture', 'encrypted-media', 'fullscreen',
  'geolocation', 'gyroscope', 'hid', 'magnetometer', 'microphone', 'midi', 'payment',
  'picture-in-picture', 'screen-wake-lock', 'serial', 'usb', 'web-share', 'xr-spatial-tracking'
]

/**
 * A page of one of our servers is same-site with the monitor, so `same-site` would let it embed
 * what its operator may see.
 */
const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': FEATURES_NOT_USED.map(feature => `${feature}=()`).join(', '),
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
