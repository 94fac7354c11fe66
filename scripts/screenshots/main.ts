/**
 * `npm run screenshots [FOLDER]`: starts the program with a few visitors and takes a picture of
 * every page, phone and wide, light and dark, into `screenshots/` or the folder that is named.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { findChromium, launchChromium } from '../kit/chromium.ts'
import { Operator } from '../kit/operator.ts'
import { PROGRAM_DIR } from '../kit/places.ts'
import { badDay, quietDay } from './staged-day.ts'
import { stageHistory, stageNews } from './staged-news.ts'
import { startProgram, type Program } from '../kit/program.ts'

interface Shot {
  /** The file's name, before its size and theme. */
  readonly name: string
  readonly url: (program: Program) => string
  /** Before the page is opened. */
  readonly arrange?: (page: Page) => Promise<unknown>
  /** When it is open: what has to happen before the picture. */
  readonly prepare?: (page: Page) => Promise<void>
  /** After the picture: leaves everything as it was. */
  readonly restore?: (page: Page) => Promise<unknown>
}

const FOLDER_DEFAULT = 'screenshots'
const PAGES = join(PROGRAM_DIR, 'html/pages')
/** Enough for a room to look used, and the same in each. */
const VISITOR_COUNT = 39

/** For a view to fetch its rows; there is no event to wait for. */
const SETTLE_MS = 700
const PASSWORD = 'a password for pictures'
/** May see nothing: its permission number has no row in the database. */
const STRANGER = { name: 'desk', permission: '-1' }
const SETTINGS = { DELAY_BETWEEN_ROUTING: '0', ADMIN_PASSWORD: PASSWORD }
const USUAL_PORTS = {
  PORTS: '8000,8001,8002', ROUTING_PORT: '8080', MONITORING_PORT: '8081'
}

const LOOKS: ReadonlyArray<BrowserContextOptions & { readonly name: string }> = [
  ['phone', 390, 844], ['wide', 1440, 900]
].flatMap(([size, width, height]) => (['light', 'dark'] as const).map(colorScheme => ({
  name: `${size}-${colorScheme}`,
  viewport: { width: Number(width), height: Number(height) },
  colorScheme,
  reducedMotion: 'reduce' as const
})))

const SHOTS: readonly Shot[] = [
  ...[0, 1, 2].map(server => ({
    name: `room-${server + 1}`, url: at(server, '/'), prepare: counted
  })),
  { name: 'room-1-crowd', url: at(0, '/'), prepare: bringInCrowd, restore: sendCrowdHome },
  { name: 'room-1-ended', url: at(0, '/'), arrange: endVisit, prepare: shown('.usher-denied') },
  { name: 'not-found', url: at(0, '/nowhere') },
  answered('denied', 403, {
    __VISITOR__: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61', __WHEN__: '23 November 2026, 14:31 UTC'
  }),
  answered('full', 503),
  answered('unavailable', 503),
  answered('fault', 500, { __CODE__: 'USHER_UNKNOWN' }),
  { name: 'login', url: ({ monitorUrl }) => `${monitorUrl}/login.html` },
  ...['users', 'denied', 'audit', 'account'].map(view => consoleShot(view, view)),
  { ...consoleShot('denied-empty', 'denied'), arrange: denyNobody },
  { ...consoleShot('overview', 'overview'), arrange: staged(quietDay) },
  { ...consoleShot('overview-incident', 'overview'), arrange: staged(badDay) },
  { ...consoleShot('servers', 'servers'), arrange: staged(badDay) },
  { ...consoleShot('overview-empty', 'overview'), arrange: staged(nobody) },
  {
    ...consoleShot('overview-stale', 'overview'),
    arrange: staged(quietDay),
    prepare: async page => {
      await loggedIn('overview')(page)
      await loseStream(page)
    }
  },
  {
    name: 'password',
    url: ({ monitorUrl }) => `${monitorUrl}/password.html`,
    prepare: async page => {
      await logIn(page)
      await open(page, 'password.html')
    }
  },
  {
    name: 'no-permission',
    url: ({ monitorUrl }) => `${monitorUrl}/login.html`,
    prepare: async page => {
      await logIn(page, STRANGER.name)
      await page.locator('#waiting').waitFor()
    }
  }
]

if (findChromium() === undefined) {
  process.stderr.write('screenshots: no Chromium was found on this machine; on Debian, `apt-get install chromium` brings one\n')
  process.exitCode = 1
} else {
  await takeAll(resolve(process.argv[2] ?? FOLDER_DEFAULT))
}

async function takeAll (folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  // The usual ports look best; where something listens there, the kernel's will do.
  const program = await startProgram({ ...SETTINGS, ...USUAL_PORTS })
    .catch(() => startProgram(SETTINGS))
  try {
    await bringInVisitors(program)
    await addStranger(program)
    await leaveRecords(program)
    const browser = await launchChromium()
    try {
      for (const shot of SHOTS) {
        for (const look of LOOKS) process.stdout.write(`${await take(browser, program, shot, look, folder)}\n`)
      }
    } finally {
      await browser.close()
    }
  } finally {
    await program.stop()
  }
}

/** Each picture is taken by a visitor of its own, who leaves with it. */
async function take (
  browser: Browser, program: Program, shot: Shot,
  { name, ...options }: typeof LOOKS[number], folder: string
): Promise<string> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const file = join(folder, `${shot.name}-${name}.png`)
  await shot.arrange?.(page)
  await page.goto(shot.url(program))
  await shot.prepare?.(page)
  await makeRoom(page)
  await page.screenshot({ path: file, fullPage: true })
  await shot.restore?.(page)
  await context.close()
  return file
}

/** The whole page in view, or what sticks to a window's edge would lie across the picture. */
async function makeRoom (page: Page): Promise<void> {
  const height = await page.evaluate('document.documentElement.scrollHeight') as number
  const size = page.viewportSize()!
  if (height > size.height) await page.setViewportSize({ ...size, height })
}

async function bringInVisitors ({ routerUrl }: Program): Promise<void> {
  for (let visitor = 0; visitor < VISITOR_COUNT; visitor++) {
    await fetch(`${routerUrl}/heartbeat?client_id=${crypto.randomUUID()}`, { method: 'POST' })
  }
}

async function addStranger ({ folder }: Program): Promise<void> {
  const { name, permission } = STRANGER
  const command = [join(PROGRAM_DIR, 'account.js'), 'add', name, '--permission', permission]
  const child = spawn(process.execPath, command, { cwd: folder, stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`${PASSWORD}\n`)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`no account for the picture of no permission: exit code ${code}`)
}

/** An operator at work, so that the lists of denials and of actions have something to show. */
async function leaveRecords (program: Program): Promise<void> {
  const operator = await Operator.loggedIn(program, 'admin', PASSWORD)
  const server = program.ports[1]
  for (const [path, body] of [
    [`/servers/${server}/drain`, {}],
    ['/deny', { address: '203.0.113.0/24', reason: 'Scraping the price list', minutes: 1440 }],
    ['/deny', { address: '198.51.100.7', reason: 'Reported by the support desk' }],
    ['/deny', { userId: '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61', minutes: 60 }],
    ['/deny', { address: '192.0.2.44', minutes: 15 }],
    ['/allow', { address: '192.0.2.44' }],
    [`/servers/${server}/ready`, {}]
  ] as const) {
    const { status, text } = await operator.post(path, body)
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
  }
}

function denyNobody (page: Page): Promise<unknown> {
  return page.route('**/denied', route => route.fulfill({ json: { denied: [] } }))
}

function at (server: number, path: string): Shot['url'] {
  return ({ serverUrls }) => `${serverUrls[server]}${path}`
}

function shown (selector: string): (page: Page) => Promise<void> {
  return async page => { await page.locator(selector).waitFor() }
}

/** The number of people is there. */
async function counted (page: Page): Promise<void> {
  await page.locator('#crowd').waitFor()
}

async function bringInCrowd (page: Page): Promise<void> {
  await counted(page)
  await page.locator('#bring-in').click()
  await page.locator('#spread', { hasText: /\d/ }).waitFor()
  await page.mouse.move(0, 0)
}

async function sendCrowdHome (page: Page): Promise<void> {
  await page.locator('#send-home').click()
  await page.locator('#people', { hasText: /^1\d$/ }).waitFor()
}

function consoleShot (name: string, view: string): Shot {
  return {
    name: `console-${name}`,
    url: ({ monitorUrl }) => `${monitorUrl}/tracker.html#${view}`,
    prepare: loggedIn(view)
  }
}

/** What the console hears is made up: no program has a past that is worth a picture. */
function staged (day: typeof quietDay): (page: Page) => Promise<void> {
  return async page => {
    const { history, news } = day(Date.now())
    await stageNews(page, news)
    await stageHistory(page, history)
  }
}

/** A program that has just started. */
function nobody (nowMs: number): ReturnType<typeof quietDay> {
  const { news } = quietDay(nowMs)
  const servers = Object.fromEntries(Object.keys(news.servers).map(port =>
    [port, { active_users: 0, up_since: new Date(nowMs - 90_000).toISOString() }]))
  const loads = new Array<number>(18).fill(0)
  return {
    history: { servers: { 8000: loads, 8001: loads, 8002: loads } },
    news: { servers }
  }
}

/** The stream drops, and the monitor does not answer. */
async function loseStream (page: Page): Promise<void> {
  await page.route('**/stats?*', route => route.abort())
  await page.evaluate('dispatchEvent(new Event("staged-loss"))')
  await page.locator('#stale', { hasText: 'does not answer' }).waitFor()
}

/** Logged in, and with the first news there. */
function loggedIn (view: string): (page: Page) => Promise<void> {
  return async page => {
    await logIn(page)
    await open(page, `tracker.html#${view}`)
    await page.locator('#nav-users', { hasText: /\d/ }).waitFor({ state: 'attached' })
    await page.locator(`#title-${view}`).waitFor()
    await page.waitForTimeout(SETTLE_MS)
  }
}

/** Each picture has a browser of its own, which does not know the session of the one before. */
async function logIn (page: Page, username = 'admin'): Promise<void> {
  await page.getByLabel('Name').fill(username)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL('**/tracker.html')
}

async function open (page: Page, path: string): Promise<void> {
  await page.goto(new URL(`/${path}`, page.url()).href)
  await page.reload()
}

/** As a beat is answered to somebody who has been denied while the page was open. */
async function endVisit (page: Page): Promise<void> {
  await page.route('**/heartbeat', route => route.fulfill({ status: 403, json: { error: 'denied' } }))
}

/** One of the program's error pages, filled in as the program does it. */
function answered (name: string, status: number, values: Record<string, string> = {}): Shot {
  let html = readFileSync(join(PAGES, `${name}.html`), 'utf8')
  for (const [token, value] of Object.entries(values)) html = html.replace(token, value)
  const answer = { status, contentType: 'text/html; charset=utf-8', body: html }
  return {
    name,
    url: at(0, `/${name}`),
    arrange: page => page.route(`**/${name}`, route => route.fulfill(answer))
  }
}
