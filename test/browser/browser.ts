/**
 * A real Chromium for the tests of a file, and visitors in it; what a page complains of (console
 * errors, exceptions, what a policy refused) fails the test in which it did.
 */
import t, { type Test } from 'tap'
import {
  chromium, type Browser, type BrowserContext, type BrowserContextOptions, type ConsoleMessage,
  type Page, type Request
} from 'playwright-core'
import type {} from '../../html/page-script/usher.ts' // What window.usher is.
import { BEAT_PATH } from '@usher/shared/http/vocabulary/counting.ts'
import { chromiumOptions, findChromium, launchChromium } from '../../scripts/kit/chromium.ts'
import { startCluster, until, type Cluster, workingFolder } from '../cluster.ts'

export interface Lab {
  /** Someone with a browser profile of their own; it is gone at the end of the test. */
  newVisitor (options?: BrowserContextOptions): Promise<BrowserContext>
  /** The same in a browser of their own, which has these flags and preferences. */
  newBrowser (args: readonly string[], preferences: object): Promise<BrowserContext>
  /** What the test causes itself. */
  expectComplaint (pattern: RegExp): void
}

const WHY_SKIPPED = findChromium() === undefined ? 'no Chromium was found on this machine' : false

/** By which a page says that it goes. */
declare global {
  interface Window { tellItGoes (): void }
}

/** A page in which everything is forbidden that the page script does not need. */
const PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy"
    content="default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'">
  <title>A page</title>
  <script src="/usher.js" defer></script>
</head>
<body><main><h1>A page of one's own</h1></main></body>
</html>
`
const PAGE_WITHOUT_SCRIPT = `<!doctype html>
<html lang="en"><title>Another page</title><link rel="icon" href="data:,"><h1>Another</h1></html>
`
export const SITE = { site: { 'index.html': PAGE, 'other.html': PAGE_WITHOUT_SCRIPT } }

const TIMES_MAX = 3

let browser: Promise<Browser> | undefined
t.teardown(async () => { await (await browser)?.close() })

/** The one of this process. Rejects where there is no Chromium. */
export function sharedBrowser (): Promise<Browser> {
  browser ??= launchChromium()
  return browser
}

/** A test with a browser; where there is none it is skipped, which CI does not allow. */
export function browserTest (name: string, body: (t: Test, lab: Lab) => Promise<void>): void {
  void t.test(name, { skip: WHY_SKIPPED }, async t => {
    const complaints: string[] = []
    const expected: RegExp[] = []
    await untilTold(t, t => body(t, labOf(t, complaints, expected)))
    const unexpected = complaints.filter(text => !expected.some(pattern => pattern.test(text)))
    t.strictSame(unexpected, [], 'no page complains')
  })
}

/** Done again where Chromium has ended a page untold (closeTabs), of which nothing is Usher's. */
export async function untilTold (
  t: Test, run: (t: Test) => Promise<void>, times = 1
): Promise<void> {
  try {
    await run(t)
  } catch (error) {
    if (!(error instanceof Untold) || times === TIMES_MAX) throw error
    await t.test(`again: ${error.message}`, t => untilTold(t, run, times + 1))
  }
}

function labOf (t: Test, complaints: string[], expected: RegExp[]): Lab {
  return {
    async newVisitor (options) {
      const context = await (await sharedBrowser()).newContext(options)
      t.teardown(() => context.close())
      await watch(context, complaints)
      return context
    },
    async newBrowser (args, preferences) {
      const profile = { Default: { Preferences: JSON.stringify(preferences) } }
      const folder = workingFolder(t, profile)
      const context = await chromium.launchPersistentContext(
        folder, { ...chromiumOptions({ args: [...args] }), ignoreHTTPSErrors: true })
      t.teardown(() => context.close())
      await watch(context, complaints)
      return context
    },
    expectComplaint: pattern => { expected.push(pattern) }
  }
}

async function watch (context: BrowserContext, complaints: string[]): Promise<void> {
  context.on('console', message => {
    if (message.type() === 'error' && !isAnswer(message)) complaints.push(message.text())
  })
  context.on('weberror', event => complaints.push(String(event.error())))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      console.error(`refused by the policy: ${violatedDirective} ${blockedURI}`)
    })
  })
}

/**
 * Whether it is the line that Chromium writes of a beat by GET that was answered `not_here`, as
 * after a page that was left before its own beat: the page goes on by POST.
 */
export function isAnswer (message: ConsoleMessage): boolean {
  return new URL(message.location().url || 'none:').pathname === BEAT_PATH &&
    message.text().includes('404')
}

/** A cluster that serves SITE from all its servers and tells of every user who comes or goes. */
export function startSite (t: Test, settings: Record<string, string> = {}): Promise<Cluster> {
  return startCluster(t, {
    HTML_DIRS: 'site',
    DELAY_BETWEEN_ROUTING: '0',
    LOG_LEVEL: 'debug',
    ...settings
  }, { cwd: workingFolder(t, SITE) })
}

export function urlOf (port: number, path = '/'): string {
  return `http://127.0.0.1:${port}${path}`
}

/** The clients who are users now, by what the log says. */
export function usersOf ({ log }: Pick<Cluster, 'log'>): string[] {
  const users = new Set<string>()
  for (const { msg, ...fields } of log) {
    const client = String(fields['client'])
    if (msg === 'user arrived' || msg === 'user moved') users.add(client)
    if (msg === 'user left' || msg === 'user timed out') users.delete(client)
  }
  return [...users]
}

/** Resolves when there are that many users; with the lines of the log until then. */
export async function untilUsers (cluster: Cluster, count: number): Promise<void> {
  await until(async () => usersOf(cluster).length, size => size === count)
}

/** Resolves when there are `count` lines in the log whose message is this. */
export async function untilLogged (cluster: Cluster, news: string, count: number): Promise<void> {
  await until(async () => timesOf(cluster, news).length, length => length >= count)
}

/** When the log says that it happened, in milliseconds since 1970. */
export function timesOf ({ log }: Pick<Cluster, 'log'>, news: string): number[] {
  return log.filter(({ msg }) => msg === news).map(({ time }) => new Date(time as string).getTime())
}

/** Resolves when the page has said that there are that many active users. */
export async function untilPageCounts (page: Page, count: number): Promise<void> {
  // A page that has just moved has its address before its script.
  const hasScript = (): Promise<boolean> => page.evaluate(() => window.usher !== undefined)
  await until(() => hasScript().catch(() => false), has => has)
  await page.evaluate(wanted => new Promise<void>(resolve => {
    window.usher!.on('beat', ({ activeUsers }) => { if (activeUsers === wanted) resolve() })
  }), count)
}

export interface Beat {
  readonly request: Request
  /** When the browser sent it, in milliseconds since 1970. */
  readonly startMs: number
}

/** The beats of all of a visitor's pages that have been answered, in order; it grows. */
export function recordBeats (context: BrowserContext): Beat[] {
  const beats: Beat[] = []
  context.on('requestfinished', request => {
    if (new URL(request.url()).pathname !== '/heartbeat') return
    beats.push({ request, startMs: request.timing().startTime })
  })
  return beats
}

/** How long the pauses between the beats were. */
export function pausesMs (beats: readonly Beat[]): number[] {
  return beats.slice(1).map(({ startMs }, at) => startMs - beats[at]!.startMs)
}

/**
 * Closes the tabs as their visitor does. Rejects, so that the test is done again, when one of them
 * was not told (`pagehide`): Chromium tells none that does not run for half a second, as on a
 * machine that halts, and then nothing of it can leave.
 */
export async function closeTabs (...tabs: readonly Page[]): Promise<void> {
  await Promise.all(tabs.map(async page => {
    let isTold = false
    await page.exposeFunction('tellItGoes', () => { isTold = true })
    await page.evaluate(() => { addEventListener('pagehide', () => { window.tellItGoes() }) })
    const closed = page.waitForEvent('close')
    await page.close({ runBeforeUnload: true })
    await closed
    if (!isTold) throw new Untold('Chromium has ended a page without telling it')
  }))
}

class Untold extends Error {}

/** Tells the page that it is in a tab behind another, or in front again. */
export async function setHidden (page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(state => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
  }, isHidden ? 'hidden' : 'visible')
}
