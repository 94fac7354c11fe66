/**
 * `npm run bench:console [-- --users N --minutes N]`: the operator's console in Chromium with
 * 100,000 users: how soon it shows something, how soon a search is answered, what one viewer costs
 * in bytes, and whether its memory stays as it is while people come and go.
 */
import { get } from 'node:http'
import { parseArgs } from 'node:util'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { Crowd, exchange } from './crowd.ts'
import { findChromium, launchChromium } from '../kit/chromium.ts'
import { quantile, spread } from '../measure/figures.ts'
import { Operator } from '../kit/operator.ts'
import { startProgram, type Program } from '../kit/program.ts'
import { trendOf } from '../measure/trend.ts'

interface Bench {
  readonly program: Program
  readonly cookie: string
  readonly page: Page
  readonly crowd: Crowd
}

const USERS = '100000'
/** What the default table has room for, with some for those who come and go. */
const USERS_MAX = 125_000
const MINUTES_MAX = 60
const PASSWORD = 'a password of the benchmark'
const FIRST_PAINTS = 5
const SEARCHES = 20
const SEARCH_SHARE = 0.99
const STREAM_MS = 10_000
const HEAP_SAMPLES = 10
const MINUTE_MS = 60_000

const { users, minutes } = parse()
if (findChromium() === undefined) {
  process.stderr.write('bench:console: no Chromium was found on this machine\n')
  process.exitCode = 1
} else {
  await benchConsole()
}

async function benchConsole (): Promise<void> {
  const program = await startProgram({
    ADMIN_PASSWORD: PASSWORD, DELAY_BETWEEN_ROUTING: '0'
  })
  const crowd = new Crowd(program)
  let browser: Browser | undefined
  try {
    const startMs = performance.now()
    await crowd.bringIn(users)
    print('users put in', `${users} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`)
    const cookie = (await Operator.loggedIn(program, 'admin', PASSWORD)).cookie!
    browser = await launchChromium({ args: ['--enable-precise-memory-info'] })
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    const page = await context.newPage()
    const [name, value] = cookie.split('=')
    await context.addCookies([{ name: name!, value: value!, url: program.monitorUrl }])
    const bench = { program, cookie, page, crowd }
    await benchFirstPaint(bench, 'overview', '#cards > *')
    await benchFirstPaint(bench, 'users', '#users tr:not(.unknown)')
    await benchSearch(bench)
    await benchStream(bench)
    await benchHeap(bench)
  } finally {
    await browser?.close()
    crowd.close()
    await program.stop()
  }
}

/** From the start of navigation until figures or rows are in a frame. */
async function benchFirstPaint (
  { program, page }: Bench, view: string, selector: string
): Promise<void> {
  const timesMs: number[] = []
  for (let round = 0; round <= FIRST_PAINTS; round++) {
    await page.goto('about:blank')
    await page.goto(`${program.monitorUrl}/tracker.html#${view}`, { waitUntil: 'commit' })
    await page.waitForSelector(selector)
    const ms = await page.evaluate(() => new Promise<number>(resolve => {
      requestAnimationFrame(() => { resolve(performance.now()) })
    }))
    if (round > 0) timesMs.push(ms) // The first one loads the program's own pages.
  }
  print(`first paint, ${view}`, `${spread(timesMs, 0)} ms`)
}

/** From the last keystroke to rows that match; and the request alone, as a script would ask. */
async function benchSearch ({ program, cookie, page }: Bench): Promise<void> {
  const [shownMs, askedMs]: [number[], number[]] = [[], []]
  for (let round = 0; round < SEARCHES; round++) {
    // With a letter first: 12 would match every user at 127.0.0.1.
    const prefix = (0xa0 + round * 37 % 0x60).toString(16)
    shownMs.push(await page.evaluate(async prefix => {
      const search = document.querySelector<HTMLInputElement>('#search')!
      const startMs = performance.now()
      search.value = prefix
      search.dispatchEvent(new Event('input', { bubbles: true }))
      const ids = (): Element[] => [...document.querySelectorAll('#users tr .c-id')]
      const isFound = (): boolean => ids().length > 0 &&
        ids().every(cell => cell.textContent.startsWith(prefix))
      while (!isFound()) await new Promise(resolve => { requestAnimationFrame(resolve) })
      return performance.now() - startMs
    }, prefix))
    const startMs = performance.now()
    await ask(`${program.monitorUrl}/users?q=${prefix}&sort=first_seen`, cookie)
    askedMs.push(performance.now() - startMs)
  }
  for (const [what, values] of [
    ['search, keystroke to rows', shownMs], ['search, the request alone', askedMs]
  ] as const) {
    print(what, `${spread(values, 0)} ms, p99 ${quantile(values, SEARCH_SHARE).toFixed(0)} ms`)
  }
  const deepMs: number[] = []
  for (let round = 0; round < SEARCHES; round++) {
    const startMs = performance.now()
    await ask(`${program.monitorUrl}/users?offset=${users - 200}&sort=first_seen`, cookie)
    deepMs.push(performance.now() - startMs)
  }
  print('the last page, by its number', `${spread(deepMs, 0)} ms`)
}

/** What the page's event stream, and all that it asks beside, weighs while people come and go. */
async function benchStream (bench: Bench): Promise<void> {
  const { program, page, crowd } = bench
  for (const view of ['overview', 'users']) {
    await page.goto('about:blank')
    await page.goto(`${program.monitorUrl}/tracker.html#${view}`)
    await page.waitForSelector(view === 'users' ? '#users tr' : '#cards > *')
    const session = await page.context().newCDPSession(page)
    const bytes = await countBytes(session, async () => { await crowd.comeAndGo(STREAM_MS) })
    await session.detach()
    print(`bytes to a viewer, ${view}`, `${(bytes / STREAM_MS).toFixed(1)} KB/s`)
  }
}

async function countBytes (session: CDPSession, during: () => Promise<void>): Promise<number> {
  let bytes = 0
  session.on('Network.dataReceived', ({ encodedDataLength, dataLength }) => {
    bytes += encodedDataLength > 0 ? encodedDataLength : dataLength
  })
  await session.send('Network.enable')
  await during()
  return bytes
}

/** The page's heap after a collection, again and again; the slope is what matters. */
async function benchHeap ({ page, crowd }: Bench): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const samples: Array<readonly [minute: number, megabytes: number]> = []
  const startMs = performance.now()
  const sample = async (): Promise<void> => {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    samples.push([(performance.now() - startMs) / MINUTE_MS, usedSize / 1e6])
  }
  await crowd.comeAndGo(STREAM_MS) // What is compiled and cached once is no leak.
  await sample()
  for (let at = 0; at < HEAP_SAMPLES; at++) {
    await crowd.comeAndGo(minutes * MINUTE_MS / HEAP_SAMPLES)
    await sample()
  }
  const [first, last] = [samples[0]![1], samples.at(-1)![1]]
  print(`heap over ${minutes} min`, `${first.toFixed(2)} to ${last.toFixed(2)} MB, ` +
    `slope ${(trendOf(samples).slope * 1000).toFixed(0)} KB/min`)
}

async function ask (url: string, cookie: string): Promise<void> {
  const { statusCode } = await exchange(get(url, { headers: { cookie } }))
  if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}`)
}

function parse (): { users: number, minutes: number } {
  const { values } = parseArgs({
    options: { users: { type: 'string', default: USERS }, minutes: { type: 'string', default: '1' } }
  })
  const [users, minutes] = [Number(values.users), Number(values.minutes)]
  if (!(users >= 1000 && users <= USERS_MAX)) throw new RangeError(`--users: 1000 to ${USERS_MAX}`)
  if (!(minutes > 0 && minutes <= MINUTES_MAX)) throw new RangeError(`--minutes: up to ${MINUTES_MAX}`)
  return { users, minutes }
}

function print (what: string, text: string): void {
  process.stdout.write(`${what.padEnd(30)}  ${text}\n`)
}
