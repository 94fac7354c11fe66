/** `/usher.js` of the router: where its beats go, whose they are, and how small it is. */
import { buildSync } from 'esbuild'
import { brotliCompressSync } from 'node:zlib'
import t from 'tap'
import { keepId } from '../server-script/kept-id.ts'
import { remotePage, type Remote } from '../server-script/remote-page.ts'
import { subjectOf } from '../server-script/subject.ts'
import { FakeBrowser, type FakeElement, type Tab, type TabOptions } from './fixtures/fake-browser.ts'

/** All of the page script is in it, and what is different where another program serves the page. */
const SIZE_BYTES_MAX = 3072

const DOOR = 'https://door.example'
const ANA = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const BEN = '0b9e5d2f-4a61-4c11-8a77-6f1c2b0e93d4'
const BEAT = `${DOOR}/heartbeat?server=shop-a`
const LEAVE = `${DOOR}/leave?page&server=shop-a`

/** A browser's storage for one site; it may refuse to be used. */
function testStorage (kept?: string) {
  const values = new Map(kept === undefined ? [] : [['usher_client', kept]])
  return {
    values,
    isForbidden: false,
    get (): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
      if (this.isForbidden) throw new Error('SecurityError')
      return {
        getItem: name => values.get(name) ?? null,
        setItem: (name, value) => { values.set(name, value) },
        removeItem: name => { values.delete(name) }
      }
    }
  }
}

interface Opened extends Partial<Pick<Remote, 'ticket' | 'server'>>, TabOptions {
  readonly kept?: string
  readonly brought?: string
}

async function openPage (
  browser: FakeBrowser, { ticket, kept, brought, server = 'shop-a', ...options }: Opened = {}
): Promise<Tab & { mistakes: string[], storage: ReturnType<typeof testStorage> }> {
  const mistakes: string[] = []
  const storage = testStorage(kept)
  const id = keepId(() => storage.get(), brought)
  const tab = await browser.open({
    routerUrl: DOOR,
    routingPort: NaN,
    ...options,
    seenBy: page => remotePage(page, {
      door: DOOR, server, ticket, id, onMistake: reason => { mistakes.push(reason) }
    })
  })
  return { ...tab, mistakes, storage }
}

t.test('server script: beats and leaves go to the router, simple requests with credentials', async t => {
  const browser = new FakeBrowser()
  const tab = await openPage(browser)
  await browser.pass(10_000)
  await tab.fire('pagehide')
  t.strictSame(browser.take(), [
    `${BEAT} by fetch at 0`, `${BEAT} by fetch at 10000`, `${LEAVE} by beacon at 10000`
  ])
  const { signal, ...options } = browser.options[0]!
  t.strictSame(options, { method: 'POST', cache: 'no-store', credentials: 'include' })
  t.equal(signal?.aborted, false)
  t.strictSame(tab.news, ['beat 7', 'beat 7'])
  t.equal(tab.usher.frontDoor, `${DOOR}/`)
})

t.test('server script: brings its visitor in by POST, and then only says that they are here', async t => {
  const browser = new FakeBrowser()
  browser.moods.push({ status: 503 }, {}, {}, { status: 404, error: 'not_here' })
  await openPage(browser)
  await browser.pass(60_000)
  t.strictSame(browser.options.slice(0, 5).map(({ method }) => method), [
    'POST', 'POST', 'GET', 'GET', 'POST'
  ])
})

t.test('server script: a leave without a beacon, and one that the page asks for', async t => {
  const browser = new FakeBrowser()
  const tab = await openPage(browser, { beacon: 'missing', kept: ANA })
  tab.usher.leave()
  t.equal(browser.take().at(-1), `${DOOR}/leave?server=shop-a&client_id=${ANA} by fetch at 0`)
  t.match(browser.options.at(-1), { method: 'POST', keepalive: true, credentials: 'include' })
})

t.test('server script: shows the ticket once, and keeps its id', async t => {
  const browser = new FakeBrowser()
  const tab = await openPage(browser, { ticket: 'a.b.c', brought: ANA, kept: BEN })
  await browser.pass(10_000)
  await tab.fire('pagehide')
  t.strictSame(browser.take(), [
    `${DOOR}/heartbeat?ticket=a.b.c&server=shop-a&client_id=${ANA} by fetch at 0`,
    `${BEAT}&client_id=${ANA} by fetch at 10000`,
    `${LEAVE}&client_id=${ANA} by beacon at 10000`
  ])
  t.equal(tab.storage.values.get('usher_client'), ANA)
})

t.test('server script: a ticket that is no good is another\'s, and the visitor is who they were', async t => {
  for (const error of ['expired', 'used', 'forged', 'malformed', 'other_server']) {
    for (const kept of [BEN, undefined]) {
      const browser = new FakeBrowser()
      browser.moods.push({ status: 400, error: `ticket_${error}` })
      const tab = await openPage(browser, { ticket: 'x', brought: ANA, ...(kept && { kept }) })
      const whose = kept === undefined ? '' : `&client_id=${kept}`
      t.strictSame(browser.take(), [
        `${DOOR}/heartbeat?ticket=x&server=shop-a&client_id=${ANA} by fetch at 0`,
        `${BEAT}${whose} by fetch at 0`
      ])
      t.equal(tab.storage.values.get('usher_client'), kept)
      t.strictSame(tab.news, ['beat 7'], 'which nobody need know of')
    }
  }
})

t.test('server script: keeps the id that the router gives it', async t => {
  const browser = new FakeBrowser()
  browser.mood = { headers: { 'X-Usher-Client': BEN } }
  const tab = await openPage(browser)
  browser.mood = {}
  await browser.pass(10_000)
  t.strictSame(browser.take(), [`${BEAT} by fetch at 0`, `${BEAT}&client_id=${BEN} by fetch at 10000`])
  t.equal(tab.storage.values.get('usher_client'), BEN)
})

t.test('server script: where nothing can be stored the id lasts as long as the page', async t => {
  const storage = testStorage(BEN)
  storage.isForbidden = true
  const id = keepId(() => storage.get(), undefined)
  t.equal(id.value, undefined)
  id.take(ANA)
  t.equal(id.value, ANA)
  id.goBack()
  t.equal(id.value, undefined)
  t.equal(storage.values.get('usher_client'), BEN)
})

t.test('server script: a server that is not known is one complaint, and silence', async t => {
  const browser = new FakeBrowser()
  browser.mood = { status: 404, error: 'unknown_server', message: 'There is no server "shp".' }
  const tab = await openPage(browser, { server: 'shp' })
  for (const type of ['online', 'visibilitychange', 'pagehide', 'pageshow']) {
    await tab.fire(type, { persisted: true })
  }
  await browser.pass(3_600_000)
  t.strictSame(browser.take(), [`${DOOR}/heartbeat?server=shp by fetch at 0`])
  t.strictSame(tab.mistakes, ['There is no server "shp".'])
  t.strictSame(tab.news, [])
})

t.test('server script: where the server takes nobody, the page shows the way to the front door', async t => {
  for (const error of ['down', 'draining']) {
    const browser = new FakeBrowser()
    const tab = await openPage(browser, { pathname: '/base/rooms/' })
    const offers = (): FakeElement[] =>
      tab.body.children.filter(child => typeof child !== 'string')
    t.strictSame(offers(), [])
    browser.mood = { status: 503, error, retryAfter: '5', headers: { 'X-Usher-Base': '/base' } }
    await browser.pass(30_000)
    const [offer, ...more] = offers()
    t.equal(more.length, 0)
    t.equal(offer!.text, 'This server takes no visitors right now.  Back to the front door')
    t.match(offer, { className: 'usher-closed', role: 'status', lang: 'en' })
    t.equal((offer!.children[1] as FakeElement).href, `${DOOR}/rooms/?a=1#here`)
    t.equal(tab.news.at(-1), 'missed')
    t.match(tab.body.text, 'the page', 'which stays')
    browser.mood = {}
    await browser.pass(30_000)
    t.strictSame(offers(), [], 'until it does again')
  }
})

t.test('server script: told to move, the page is loaded again from the router', async t => {
  for (const [pathname, path] of [['/base/rooms/', '/rooms/'], ['/basement', '/basement'], ['/', '/']]) {
    const browser = new FakeBrowser()
    const tab = await openPage(browser, { pathname: pathname! })
    browser.mood = { status: 409, error: 'moved', headers: { 'X-Usher-Base': '/base' } }
    await browser.pass(10_000)
    t.strictSame(tab.news, ['beat 7', 'moved', `loads ${DOOR}${path}?a=1#here`])
  }
})

t.test('server script: a denied visitor is told so', async t => {
  const browser = new FakeBrowser()
  const tab = await openPage(browser)
  browser.mood = { status: 403, error: 'denied' }
  await browser.pass(10_000)
  t.match(tab.body.text, /^Your access has ended/)
  t.equal(tab.news.at(-1), 'denied')
})

t.test('server script: tabs of one server share beats, those of two do not', async t => {
  const browser = new FakeBrowser()
  await openPage(browser)
  const second = await openPage(browser)
  const other = await openPage(browser, { server: 'shop-b' })
  browser.take()
  await browser.pass(10_000)
  t.strictSame(browser.take(), [
    `${BEAT} by fetch at 10000`, `${DOOR}/heartbeat?server=shop-b by fetch at 10000`
  ])
  t.equal(second.news.length, 2)
  t.equal(other.news.length, 2)
})

t.test('server script: reads whose a ticket is, and what is none says nothing', async t => {
  const ticket = (payload: unknown): string =>
    `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`
  t.equal(subjectOf(ticket({ sub: ANA, iss: 'https://door.example/?>~' })), ANA)
  const bad = [
    undefined, '', 'a', 'a.b.c', ticket({}), ticket(null), ticket({ sub: 7 }), ticket({ sub: `${ANA}&server=x` })
  ]
  for (const text of bad) t.equal(subjectOf(text), undefined, String(text))
})

t.test('server script: is small, and has one place for each thing it is told', async t => {
  const built = buildSync({
    entryPoints: ['html/server-script/main.ts'],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false
  })
  const { contents, text } = built.outputFiles[0]!
  for (const token of ['__TICKET_PARAMETER__', '__TIMEOUT_THRESHOLD_MS__']) {
    t.equal(text.split(token).length, 2, token)
  }
  const bytes = brotliCompressSync(contents).length
  t.ok(bytes <= SIZE_BYTES_MAX, `${bytes} bytes`)
})
