/**
 * Who is counted: the heads of requests as browsers, robots and probes send them, and what each
 * does to the count at the router and at a server that answers with a page. A newcomer is given the
 * cookie where `effect` is `adds`, and only there.
 */
import type { CountEffect } from '@usher/shared/http/vocabulary/values.ts'

export interface CountingCase {
  readonly what: string
  readonly effect: CountEffect
  /** `GET` unless said. */
  readonly method?: string
  /** `/` unless said. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A click on a link, an address typed in: Chromium, Firefox and Safari >= 16.4 over https. */
const NAVIGATION = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
/** A script's request, as `/usher.js` sends them. */
const FETCH = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }
const CROSS_SITE_NAVIGATION = { ...NAVIGATION, 'sec-fetch-site': 'cross-site' }

export const COUNTING_CASES: readonly CountingCase[] = [
  // People who open a page.
  { what: 'a page, by a client that says nothing of itself (plain http to a name, curl)', effect: 'adds' },
  { what: 'an address typed in', effect: 'adds', headers: NAVIGATION },
  { what: 'a link from another site', effect: 'adds', headers: CROSS_SITE_NAVIGATION },
  { what: 'a link from another port of this host', effect: 'adds', headers: { ...NAVIGATION, 'sec-fetch-site': 'same-site' } },
  { what: 'a link inside the site', effect: 'adds', headers: { ...NAVIGATION, 'sec-fetch-site': 'same-origin' } },
  { what: 'a link from another site, by a browser without Sec-Fetch-Dest (Chromium 76-79)', effect: 'adds', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } },
  { what: 'a page of a folder', effect: 'adds', path: '/shop/' },
  { what: 'a page without an extension', effect: 'adds', path: '/about-us' },
  { what: 'a path that only looks as if it had an extension', effect: 'adds', path: '/release/v1.2' },
  { what: 'a page by its file name', effect: 'adds', path: '/index.html' },
  { what: 'a page by its file name, in capitals', effect: 'adds', path: '/INDEX.HTM' },
  { what: 'a page of an application server', effect: 'adds', path: '/cart.php' },

  // What a page brings with it. Without credentials (fonts, manifests) no cookie is sent.
  { what: 'a manifest: fetched without credentials (W3C App Manifest, link rel=manifest)', effect: 'refreshes', path: '/manifest', headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'manifest' } },
  { what: 'a manifest over plain http: nothing but its path tells', effect: 'refreshes', path: '/site.webmanifest' },
  { what: 'a manifest called JSON', effect: 'refreshes', path: '/manifest.json' },
  { what: 'a font: always anonymous (CSS Fonts 4, section 4.9)', effect: 'refreshes', path: '/font.woff2', headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'font' } },
  { what: 'a style sheet', effect: 'refreshes', path: '/style.css' },
  { what: 'a module script with crossorigin=anonymous', effect: 'refreshes', path: '/app.js', headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'script' } },
  { what: 'an image', effect: 'refreshes', path: '/photo.jpg' },
  { what: 'a script\'s fetch of a path like a page\'s', effect: 'refreshes', path: '/api/items', headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } },
  { what: 'a frame of the site\'s own', effect: 'refreshes', path: '/frame.html', headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
  { what: 'a service worker', effect: 'refreshes', path: '/sw', headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'serviceworker' } },
  { what: 'a source map that the developer tools fetch', effect: 'refreshes', path: '/app.js.map' },

  // Speculative loads: nobody has opened the page yet, and they may arrive after it was left.
  { what: 'a prefetch by Chromium or Firefox (Sec-Purpose, Fetch Standard)', effect: 'none', headers: { 'sec-purpose': 'prefetch', 'sec-fetch-dest': 'empty' } },
  { what: 'a prefetch by speculation rules', effect: 'none', headers: { ...NAVIGATION, 'sec-purpose': 'prefetch' } },
  { what: 'a prerender (Chromium, speculation rules and address bar)', effect: 'none', headers: { ...NAVIGATION, 'sec-purpose': 'prefetch;prerender' } },
  { what: 'a prefetch through a private proxy', effect: 'none', headers: { ...NAVIGATION, 'sec-purpose': 'prefetch;anonymous-client-ip' } },
  { what: 'a prefetch that another site causes', effect: 'none', headers: { ...CROSS_SITE_NAVIGATION, 'sec-purpose': 'prefetch' } },
  { what: 'a prefetch by Safari and older Chromium', effect: 'none', headers: { purpose: 'prefetch' } },
  { what: 'a prefetch by Firefox before 115', effect: 'none', headers: { 'x-moz': 'prefetch' } },
  { what: 'a preview by older Safari', effect: 'none', headers: { 'x-purpose': 'preview' } },

  // Another site's page.
  { what: 'a frame in another site\'s page', effect: 'none', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
  { what: 'an object in another site\'s page', effect: 'none', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' } },
  { what: 'an image in another site\'s page', effect: 'none', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } },
  { what: 'a script\'s request of another site\'s page', effect: 'none', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } },
  { what: 'another site\'s page, by a browser that says no more', effect: 'none', headers: { 'sec-fetch-site': 'cross-site' } },

  // Robots, probes, icons.
  { what: 'robots.txt', effect: 'refreshes', path: '/robots.txt' },
  { what: 'the icon that every browser asks for', effect: 'refreshes', path: '/favicon.ico' },
  { what: 'a touch icon (Safari asks for several names)', effect: 'refreshes', path: '/apple-touch-icon-120x120-precomposed.png' },
  { what: 'a certificate\'s challenge (RFC 8555 section 8.3)', effect: 'refreshes', path: '/.well-known/acme-challenge/token' },
  { what: 'a password manager\'s probe (W3C change-password-url)', effect: 'refreshes', path: '/.well-known/change-password' },
  { what: 'a health check', effect: 'none', path: '/healthz' },
  { what: 'HEAD, by monitors and link checkers', effect: 'none', method: 'HEAD' },
  { what: 'OPTIONS', effect: 'none', method: 'OPTIONS' },

  // Beats. An image of any site can cause one by GET: over plain http to a name, browsers send no
  // Sec-Fetch-* (Fetch Metadata, section 2: to potentially trustworthy URLs only), and SameSite
  // does not matter where the id is in the query.
  { what: 'a beat by GET, which an image of another site may be', effect: 'refreshes', path: '/heartbeat' },
  { what: 'a beat by the page script', effect: 'refreshes', path: '/heartbeat', headers: FETCH },
  { what: 'a beat by POST, over plain http', effect: 'adds', method: 'POST', path: '/heartbeat' },
  { what: 'a beat by POST, by the page script', effect: 'adds', method: 'POST', path: '/heartbeat', headers: FETCH },
  { what: 'a beat by POST of a page on another port', effect: 'adds', method: 'POST', path: '/heartbeat', headers: { ...FETCH, 'sec-fetch-site': 'same-site' } },
  { what: 'a beat by POST of a page that is prerendered', effect: 'none', method: 'POST', path: '/heartbeat', headers: { ...FETCH, 'sec-purpose': 'prefetch;prerender' } },
  { what: 'a beat by POST that another site causes', effect: 'none', method: 'POST', path: '/heartbeat', headers: { ...FETCH, 'sec-fetch-site': 'cross-site' } },
  { what: 'a beat by GET that another site causes', effect: 'none', path: '/heartbeat', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } },
  { what: 'a beat by HEAD', effect: 'none', method: 'HEAD', path: '/heartbeat' },
  { what: 'a leave by GET, which is none', effect: 'none', path: '/leave' }
]
