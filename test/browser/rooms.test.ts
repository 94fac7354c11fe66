/** The example rooms in Chromium: a crowd comes and goes, a stay outlives a reload. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { findChromium } from '../../scripts/kit/chromium.ts'
import { ROOT, startCluster, until, Visitor, type Cluster, workingFolder } from '../cluster.ts'
import { closeTabs, isAnswer, sharedBrowser, untilTold } from './browser.ts'
import { checkBarriers } from './looks.ts'

/** With nobody but the page's visitor, who is in the first room. */
const SPREAD = '30 people came in by the front door: 10, 10 and 10.'

if (findChromium() === undefined) {
  t.comment('no Chromium was found: the rooms were not looked at in a browser')
  t.not(process.env['CI'], 'true', 'CI has a Chromium')
} else {
  testRooms(await sharedBrowser())
}

function testRooms (browser: Browser): void {
  roomTest(browser, 'rooms: a crowd of 30 is spread 10, 10 and 10, and goes home', async (t, room) => {
    const { cluster, page } = room
    await page.locator('#bring-in').click()
    t.equal(await sentence(page), SPREAD)
    await checkCounts(t, page, cluster, own => own ? 11 : 10)
    // Who asked the servers just now may be among them until the next beat.
    await until(() => page.locator('#people').textContent(), people => people === '11')
    await until(() => page.locator('#seats .taken').count(), taken => taken === 10)

    await page.locator('#send-home').click()
    t.equal(await sentence(page), 'Your guests were sent home.')
    t.ok(await page.locator('#send-home').isHidden())
    const empty = expected(cluster, own => own ? 1 : 0).join()
    await until(() => usersPerServer(cluster), counts => counts.join() === empty)
    await until(() => page.locator('#people').textContent(), text => text === '1')
    await checkCounts(t, page, cluster, own => own ? 1 : 0)
  })

  roomTest(browser, 'rooms: as many guests as one page brings in go with the page', async (t, room) => {
    const { cluster, page } = room
    await page.locator('#bring-in').click()
    t.equal(await sentence(page), SPREAD)
    await page.locator('#bring-in').click()
    await page.locator('#spread', { hasText: 'That is as many as one page brings in.' }).waitFor()
    t.equal(await page.locator('#bring-in').getAttribute('aria-disabled'), 'true')
    await closeTabs(page)
    const left = await until(() => usersPerServer(cluster), counts => counts.join() === '0,0,0')
    t.strictSame(left, [0, 0, 0])
  })

  roomTest(browser, 'rooms: a policy that closes the front door is a sentence, no fault', async (t, room) => {
    const { page } = room
    await page.locator('#bring-in').click()
    t.match(await sentence(page), /^The front door, .*, cannot be reached from here\. Nobody came in\.$/)
    t.ok(await page.locator('#send-home').isHidden())
  }, { policy: "default-src 'self'", mayComplain: /Content Security Policy/ })

  roomTest(browser, 'rooms: a strict policy that opens the front door changes nothing', async (t, room) => {
    const { page } = room
    await page.locator('#bring-in').click()
    t.equal(await sentence(page), SPREAD)
  }, { policy: "default-src 'self'; connect-src 'self' http://127.0.0.1:*" })

  roomTest(browser, 'rooms: axe-core finds no violation while a crowd is there, light or dark', async (t, room) => {
    const { page } = room
    await page.locator('#bring-in').click()
    await sentence(page)
    await checkBarriers(t, page, 'a crowd')
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 })
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      t.equal(overflow, 0, `no page scrolls sideways at ${width}`)
    }
  })

  t.test('rooms: the stay goes on over a reload', async t => {
    const cluster = await startRooms(t)
    const context = await newVisitor(t, browser)
    await context.clock.install()
    const page = await enter(context, cluster)
    await until(() => stayOf(page), text => text === 'Here for less than a minute')
    await context.clock.fastForward(4 * 60_000)
    await until(() => stayOf(page), text => text === 'Here for 4 min')
    await page.reload()
    t.equal(await until(() => stayOf(page), text => text !== ''), 'Here for 4 min')
  })

  t.test('rooms: without JavaScript nothing is offered that needs it', async t => {
    const cluster = await startRooms(t)
    const context = await newVisitor(t, browser, { javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(urlOf(cluster))
    t.match(await page.locator('h1').textContent(), 'You are in the')
    t.ok(await page.locator('#bring-in').isHidden())
    t.ok(await page.locator('.tips').isVisible())
  })
}

interface Room {
  readonly cluster: Cluster
  /** Of a visitor in the first room, who has been counted. */
  readonly page: Page
}

interface RoomOptions {
  /** A Content-Security-Policy for the pages. */
  readonly policy?: string
  readonly mayComplain?: RegExp
}

/** A test with a visitor in a room; what the page's console complains of fails it. */
function roomTest (
  browser: Browser, name: string, test: (t: Test, room: Room) => Promise<void>,
  { policy, mayComplain }: RoomOptions = {}
): void {
  t.test(name, t => untilTold(t, async t => {
    const cluster = await startRooms(t, policy)
    const context = await newVisitor(t, browser)
    const complaints: string[] = []
    context.on('weberror', error => complaints.push(String(error.error())))
    context.on('console', message => {
      if (message.type() !== 'error' || isAnswer(message)) return
      if (mayComplain?.test(message.text())) return
      complaints.push(message.text())
    })
    await test(t, { cluster, page: await enter(context, cluster) })
    t.strictSame(complaints, [], 'the console has nothing to complain of')
  }))
}

/** With a policy, each room is a copy of the first whose page says that policy itself. */
function startRooms (t: Test, policy?: string): Promise<Cluster> {
  const settings = { DELAY_BETWEEN_ROUTING: '0.05', HEARTBEAT_INTERVAL: '0.3' }
  if (policy === undefined) return startCluster(t, settings)
  const cwd = workingFolder(t)
  cpSync(join(ROOT, 'dist/html/site-1'), join(cwd, 'site'), { recursive: true })
  const page = join(cwd, 'site/index.html')
  const meta = `<head><meta http-equiv="Content-Security-Policy" content="${policy}">`
  writeFileSync(page, readFileSync(page, 'utf8').replace('<head>', meta))
  return startCluster(t, { ...settings, HTML_DIRS: 'site' }, { cwd })
}

async function newVisitor (t: Test, browser: Browser, options = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options)
  t.teardown(() => context.close())
  return context
}

/** Comes in by the front door; resolves when the page has been counted. */
async function enter (context: BrowserContext, cluster: Cluster): Promise<Page> {
  const page = await context.newPage()
  await page.goto(urlOf(cluster))
  await page.locator('#crowd').waitFor()
  return page
}

function urlOf ({ routingPort }: Cluster): string {
  return `http://127.0.0.1:${routingPort}/`
}

/** What the page says came of the last deed. */
async function sentence (page: Page): Promise<string | null> {
  const said = page.locator('#spread', { hasText: /\w/ })
  await said.waitFor()
  return said.textContent()
}

async function stayOf (page: Page): Promise<string | null> {
  return page.locator('#stay').textContent()
}

/** In the order of the cluster's ports; the visitor's own room is the first. */
function expected ({ ports }: Cluster, count: (isOwn: boolean) => number): number[] {
  return ports.map((_port, index) => count(index === 0))
}

/** What the page shows and what the servers say are one, and as expected. */
async function checkCounts (
  t: Test, page: Page, cluster: Cluster, count: (isOwn: boolean) => number
): Promise<void> {
  t.strictSame(await usersPerServer(cluster), expected(cluster, count), 'on the servers')
  // The page counts again and again, and may have seen who asked the servers just now.
  const shown = await until(
    () => page.locator('#rooms-list b').allTextContents(),
    texts => texts.join() === expected(cluster, count).join()
  )
  t.equal(shown.length, cluster.ports.length, 'on the page')
}

/** `X-Active-Users` of every server, as somebody sees it who goes from one to the next. */
async function usersPerServer ({ ports }: Cluster): Promise<number[]> {
  const witness = new Visitor()
  witness.cookie = 'client_id=00000000-0000-4000-8000-00000000000f'
  const counts: number[] = []
  for (const port of ports) counts.push(await witness.beat(port) - 1)
  await witness.ask(ports.at(-1)!, '/leave', { method: 'POST' })
  return counts
}
