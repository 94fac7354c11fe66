/**
 * One person in Chromium, with all that a browser fetches on its own account: never more than one
 * user once the unconfirmed ones have gone, and nobody when the browser is closed.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { BrowserContext, Page, Route } from 'playwright-core'
import { ask, startCluster, until, workingFolder, type Cluster } from '../cluster.ts'
import { browserTest, closeTabs, urlOf } from './browser.ts'

const UNCONFIRMED_MS = 5000
const GRACE_MS = 4000
/** What an end may be late by, and for a busy machine. */
const LATE_MS = 250 + 750
const LOOK_MS = 20
/** Whoever is a user after that is one until TIMEOUT_THRESHOLD. */
const LOST_MS = 15_000
const TABS = 5
const CLICKS = 10

/** Whatever pages link to: a manifest, icons, pages that are fetched before anybody wants them. */
const HEAD = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>A page</title>
  <link rel="manifest" href="/site.webmanifest">
  <link rel="icon" href="/icon.svg">
  <link rel="apple-touch-icon" href="/apple-touch-icon.png">
  <link rel="prefetch" href="/prefetched.html">
  <script type="speculationrules">
  {
    "prefetch": [{ "source": "list", "urls": ["/fetched-early.html"], "eagerness": "immediate" }],
    "prerender": [{ "source": "list", "urls": ["/prerendered.html"], "eagerness": "immediate" }]
  }
  </script>
`
const BODY = `</head><body><main><h1>A page</h1>
  <a href="/">Home</a> <a href="/prefetched.html">One</a> <a href="/fetched-early.html">Two</a>
  <a href="/prerendered.html">Three</a> <a href="/plain.html">Four</a>
  <iframe src="/frame.html" title="A frame"></iframe>
</main></body></html>
`
const PAGE = `${HEAD}<script src="/usher.js" defer></script>${BODY}`
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
const SITE = {
  'index.html': PAGE,
  'prefetched.html': PAGE,
  'fetched-early.html': PAGE,
  'prerendered.html': PAGE,
  'plain.html': `${HEAD}${BODY}`,
  'frame.html': '<!doctype html><title>A frame</title>',
  'icon.svg': ICON,
  'apple-touch-icon.png': '',
  'favicon.ico': '',
  'site.webmanifest': '{"name":"A site","start_url":"/","display":"standalone","icons":[{"src":"/icon.svg","sizes":"any"}]}'
}

browserTest('browser: one visitor is one user, whatever the browser fetches', async (t, lab) => {
  const cluster = await startCluster(t, {
    HTML_DIRS: 'site',
    DELAY_BETWEEN_ROUTING: '0.1',
    UNCONFIRMED_TIMEOUT: String(UNCONFIRMED_MS / 1000),
    LEAVE_GRACE: String(GRACE_MS / 1000),
    HEARTBEAT_INTERVAL: '0.5',
    RESERVATION_TTL: '2'
  }, { cwd: workingFolder(t, { site: SITE }) })
  const visitor = await lab.newVisitor()
  const purposes = recordPurposes(visitor)
  const tabs = await Promise.all(Array.from({ length: TABS }, () => visitor.newPage()))
  const door = urlOf(cluster.routingPort)
  await sendTogether(visitor, door, TABS)
  await Promise.all(tabs.map(tab => tab.goto(door)))
  await visitor.unroute(door)
  await setTimeout(UNCONFIRMED_MS + LATE_MS)

  const look = watchUsers(cluster)
  t.teardown(() => look.stop())
  const [tab] = tabs as [Page]
  t.match(await fetchManifest(tab), /"A site"/, 'the browser has fetched the manifest')
  for (let click = 0; click < CLICKS; click++) await follow(tab, click % 5)
  await follow(tab, 0)
  t.ok(purposes.some(purpose => purpose.startsWith('prefetch')), `speculative loads: ${purposes.join()}`)
  t.equal(look.most, 1, 'never two')
  t.equal(look.fewest, 1, 'and never nobody')

  await closeTabs(...tabs)
  const closedMs = performance.now()
  const tookMs = (): number => performance.now() - closedMs
  await until(async () => look.last, users => users === 0 || tookMs() > LOST_MS)
  t.ok(tookMs() < GRACE_MS + LATE_MS, `${look.last} after ${tookMs().toFixed(0)} ms`)
  await setTimeout(UNCONFIRMED_MS)
  t.strictSame([look.most, look.last], [1, 0], 'and nothing is left')
})

/** Holds requests for this address back until there are so many, on however slow a machine. */
async function sendTogether (visitor: BrowserContext, url: string, count: number): Promise<void> {
  const held: Route[] = []
  await visitor.route(url, route => {
    if (held.push(route) < count) return
    for (const each of held) void each.continue()
  })
}

/** Clicks the link of that number: home, three that were fetched early, one without the script. */
async function follow (tab: Page, link: number): Promise<void> {
  const anchor = tab.locator('main > a').nth(link)
  const href = await anchor.evaluate(element => (element as HTMLAnchorElement).href)
  await Promise.all([tab.waitForURL(href), anchor.click()])
  await tab.waitForLoadState('load')
}

/** As the browser does it to offer an installation. */
async function fetchManifest (tab: Page): Promise<string> {
  const session = await tab.context().newCDPSession(tab)
  const { data = '' } = await session.send('Page.getAppManifest')
  await session.detach()
  return data
}

/** What the visitor's requests are for, where they say so; it grows. */
function recordPurposes (visitor: BrowserContext): string[] {
  const purposes: string[] = []
  visitor.on('request', request => {
    void request.allHeaders().then(({ 'sec-purpose': purpose }) => {
      if (purpose !== undefined) purposes.push(purpose)
    }, () => {})
  })
  return purposes
}

interface Look {
  most: number
  fewest: number
  last: number
  stop (): Promise<void>
}

/** Counts the users of all servers again and again, by a beat that adds nobody. */
function watchUsers ({ ports }: Cluster): Look {
  const over = new AbortController()
  const look: Look = {
    most: 0,
    fewest: Infinity,
    last: NaN,
    async stop () {
      over.abort()
      await done
    }
  }
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { headers } = await ask(ports[0]!, `/heartbeat?servers&client_id=${randomUUID()}`)
      const counts = String(headers['x-server-users']).matchAll(/=(\d+)/g)
      look.last = [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
      look.most = Math.max(look.most, look.last)
      look.fewest = Math.min(look.fewest, look.last)
      await setTimeout(LOOK_MS)
    }
  }
  const done = watch()
  return look
}
