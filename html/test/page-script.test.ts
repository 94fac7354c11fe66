/** `/usher.js`: beats, leaves, shares among tabs, backs off, ends; and how small it is. */
import { buildSync } from 'esbuild'
import { brotliCompressSync } from 'node:zlib'
import t from 'tap'
import { beatDelayMs, parseIntervalMs, type Pace } from '../page-script/pace.ts'
import { takeTicket } from '../page-script/take-ticket.ts'
import { FakeBrowser, type FakeElement, type TabOptions } from './fixtures/fake-browser.ts'

const SIZE_BYTES_MAX = 2048

t.test('page script: beats at load and then as told', async t => {
  const browser = new FakeBrowser()
  await browser.open()
  t.strictSame(browser.take(), ['beat at 0'])
  await browser.pass(9_999)
  t.strictSame(browser.take(), [], 'not a moment early')
  browser.mood = { interval: '30' }
  await browser.pass(1)
  t.strictSame(browser.take(), ['beat at 10000'])
  await browser.pass(30_000)
  t.strictSame(browser.take(), ['beat at 40000'])
})

t.test('page script: asks for a fresh answer of its own origin, and not beyond its end', async t => {
  const browser = new FakeBrowser()
  await browser.open()
  const { signal, ...options } = browser.options[0]!
  t.strictSame(options, { method: 'GET', cache: 'no-store', credentials: 'same-origin' })
  t.equal(signal?.aborted, false)
})

t.test('page script: tells listeners how many are here', async t => {
  const browser = new FakeBrowser()
  browser.mood = { activeUsers: '41' }
  const tab = await browser.open()
  t.strictSame(tab.news, ['beat 41'])

  const late: number[] = []
  const off = tab.usher.on('beat', ({ activeUsers }) => late.push(activeUsers))
  await browser.pass(0)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(late, [41], 'a late listener hears the last beat')
  off()
  await browser.pass(10_000)
  t.strictSame(late, [41], 'and none after it has gone')
  t.strictSame(tab.news, ['beat 41', 'beat 41'])
})

t.test('page script: an answer without its number is no number', async t => {
  for (const activeUsers of ['', 'many', '-1']) {
    const browser = new FakeBrowser()
    browser.mood = { activeUsers }
    const tab = await browser.open()
    t.strictSame(tab.news, [], `"${activeUsers}"`)
    await browser.pass(10_000)
    t.equal(browser.asked.length, 2, 'but the beat counts')
  }
})

t.test('page script: backs off while beats fail, and recovers', async t => {
  const moods = [
    'unreachable', { status: 503 }, { status: 404 }, { status: 403 },
    { status: 403, error: 'foreign_origin' }
  ] as const
  for (const mood of moods) {
    const browser = new FakeBrowser()
    const tab = await browser.open()
    browser.mood = mood
    await browser.pass(10_000 + 10_000 + 20_000 + 30_000 + 30_000)
    t.strictSame(browser.take(), [
      'beat at 0', 'beat at 10000', 'beat at 20000', 'beat at 40000', 'beat at 70000',
      'beat at 100000'
    ])
    t.strictSame(tab.news, ['beat 7', ...Array(5).fill('missed')])
    browser.mood = {}
    await browser.pass(30_000 + 10_000)
    t.strictSame(browser.take(), ['beat at 130000', 'beat at 140000'])
  }
})

t.test('page script: the ticket of a redirect leaves the address bar, and nothing else does', async t => {
  const cases: ReadonlyArray<[search: string, ticket: string | undefined, plain?: string]> = [
    ['?usher_ticket=a.b-c.d_e', 'a.b-c.d_e', ''],
    ['?a=1&usher_ticket=x', 'x', '?a=1'],
    ['?usher_ticket=x&a=%2F$&', 'x', '?a=%2F$&'],
    ['?a=%2F&usher_ticket=x&b', 'x', '?a=%2F&b'],
    ['?usher_ticket=', '', ''],
    ['', undefined],
    ['?a=1', undefined],
    ['?my_usher_ticket=1', undefined]
  ]
  for (const [search, ticket, plain] of cases) {
    const shown: unknown[] = []
    const history = {
      state: 'kept', replaceState: (...args: unknown[]) => { shown.push(args) }
    }
    const location = { pathname: '/shop', search, hash: '#top' }
    t.equal(takeTicket({ location, history }, 'usher_ticket'), ticket, search)
    t.strictSame(shown, plain === undefined ? [] : [['kept', '', `/shop${plain}#top`]], search)
  }
})

t.test('page script: posts a beat when the server does not know the visitor', async t => {
  const browser = new FakeBrowser()
  browser.mood = { error: 'not_here' }
  const tab = await browser.open()
  t.strictSame(browser.take(), ['beat at 0', 'posted beat at 0'])
  t.match(browser.options.at(-1), { method: 'POST', cache: 'no-store', credentials: 'same-origin' })
  t.strictSame(tab.news, ['beat 7'], 'one beat, and none was missed')
  browser.mood = {}
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 10000'], 'and asks again the next time')
  browser.mood = { error: 'not_here', status: 404 }
  await browser.pass(10_000 + 10_000)
  t.strictSame(browser.take(), [
    'beat at 20000', 'posted beat at 20000', 'beat at 30000', 'posted beat at 30000'
  ], 'a post that is answered like that has failed')
})

t.test('page script: a page that leaves before the answer posts nothing', async t => {
  const browser = new FakeBrowser()
  browser.mood = 'silent'
  const tab = await browser.open()
  await tab.fire('pagehide')
  browser.mood = { error: 'not_here' }
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 0', 'page leave by beacon at 0'])
})

t.test('page script: a prerendered page is silent until it is shown', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open({ isPrerendering: true })
  for (const type of ['online', 'visibilitychange', 'pagehide']) await tab.fire(type)
  await browser.pass(60_000)
  t.strictSame(browser.take(), [], 'also when it is thrown away')
  tab.document.prerendering = false
  await tab.fire('prerenderingchange')
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 60000', 'beat at 70000'])
})

t.test('page script: gives up on an answer after ten seconds', async t => {
  const browser = new FakeBrowser()
  browser.mood = 'silent'
  const tab = await browser.open()
  await browser.pass(9_999)
  t.strictSame(tab.news, [])
  await browser.pass(1)
  t.strictSame(tab.news, ['missed'])
  t.equal(browser.options[0]!.signal!.aborted, true)
  browser.mood = {}
  await browser.pass(5_000)
  t.strictSame(browser.take(), ['beat at 0', 'beat at 15000'])
})

t.test('page script: tries no sooner than a refusal asks for', async t => {
  const browser = new FakeBrowser()
  await browser.open()
  browser.mood = { status: 503, retryAfter: '15' }
  await browser.pass(10_000 + 15_000 + 30_000)
  t.strictSame(browser.take(), [
    'beat at 0', 'beat at 10000', 'beat at 25000', 'beat at 55000'
  ])
  browser.mood = {}
  await browser.pass(30_000 + 10_000)
  t.strictSame(browser.take(), ['beat at 85000', 'beat at 95000'], 'and then as told again')
})

t.test('page script: beats at once when the network returns', async t => {
  const browser = new FakeBrowser()
  browser.mood = 'unreachable'
  const tab = await browser.open()
  await browser.pass(60_000)
  browser.take()
  browser.mood = {}
  await tab.fire('online')
  await browser.pass(0)
  t.strictSame(browser.take(), ['beat at 60000'])
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 70000'], 'and the old timer is gone')
})

t.test('page script: a network that comes and goes makes no beat come early', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  browser.take()
  for (let returns = 0; returns < 9; returns += 1) {
    await browser.pass(1_000)
    await tab.fire('online')
  }
  t.strictSame(browser.take(), [])
  browser.mood = 'silent'
  await browser.pass(1_000)
  await tab.fire('online')
  t.strictSame(browser.take(), ['beat at 10000'], 'nor a second one beside the one on its way')
})

t.test('page script: rests while the browser is offline, once a beat has failed', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  browser.isOnline = false
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 0', 'beat at 10000'], 'a browser may be wrong')
  t.strictSame(tab.news, ['beat 7', 'beat 7'])
  browser.mood = 'unreachable'
  await browser.pass(10_000 + 956_999)
  t.strictSame(browser.take(), ['beat at 20000'])
  t.equal(tab.news.at(-1), 'missed')
  await browser.pass(1)
  t.strictSame(browser.take(), ['beat at 977000'], 'and is asked again in time')
  browser.isOnline = true
  browser.mood = {}
  await browser.pass(4_000)
  await tab.fire('online')
  t.strictSame(browser.take(), [])
  await browser.pass(6_000)
  t.strictSame(browser.take(), ['beat at 987000'])
})

t.test('page script: a hidden page too beats soon when the network returns', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  await browser.pass(10_000)
  await tab.setHidden(true)
  browser.isOnline = false
  browser.mood = 'unreachable'
  await browser.pass(957_000)
  browser.take()
  browser.isOnline = true
  browser.mood = {}
  await tab.fire('online')
  await browser.pass(10_000 + 956_999)
  t.strictSame(browser.take(), ['beat at 977000'])
  await browser.pass(1)
  t.strictSame(browser.take(), ['beat at 1934000'], 'and then rests again')
})

t.test('page script: leaves once when the page goes, and comes back with it', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  await browser.pass(1_000)
  browser.take()
  await tab.fire('pagehide')
  t.strictSame(browser.take(), ['page leave by beacon at 1000'])
  t.equal(browser.openChannelCount, 0, 'an open channel keeps a page from being kept')
  t.equal(browser.pendingTimerCount, 0)
  await tab.fire('pagehide')
  await tab.fire('online')
  await tab.setHidden(true)
  tab.usher.leave()
  await browser.pass(60_000)
  t.strictSame(browser.take(), [], 'nothing after it')
  await tab.setHidden(false)
  await tab.fire('pageshow', { persisted: false })
  t.strictSame(browser.take(), [], 'the event of an ordinary load')
  await tab.fire('pageshow', { persisted: true })
  t.strictSame(browser.take(), ['beat at 61000'])
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 71000'])
})

t.test('page script: takes back the beat on its way when it leaves', async t => {
  const browser = new FakeBrowser()
  browser.mood = 'silent'
  const tab = await browser.open()
  tab.usher.leave()
  t.equal(browser.options[0]!.signal!.aborted, true)
  await browser.pass(60_000)
  t.strictSame(browser.take(), ['beat at 0', 'leave by beacon at 0'])
  t.strictSame(tab.news, [])
})

t.test('page script: leaves by fetch where no beacon can be sent', async t => {
  for (const beacon of ['refused', 'missing'] as const) {
    const browser = new FakeBrowser()
    const tab = await browser.open({ beacon })
    await tab.fire('pagehide')
    t.strictSame(browser.take(), ['beat at 0', 'page leave by fetch at 0'], beacon)
    t.match(browser.options[1], { method: 'POST', keepalive: true })
  }
})

t.test('page script: the tabs of a visitor share one beat', async t => {
  const browser = new FakeBrowser()
  const first = await browser.open()
  const second = await browser.open()
  t.equal(browser.take().length, 2, 'each beats at its load')
  await browser.pass(60_000)
  t.equal(browser.take().length, 6)
  t.strictSame(first.news.length, second.news.length + 1, 'and each hears every beat')
})

t.test('page script: a tab that follows waits longer than the one that leads', async t => {
  const browser = new FakeBrowser()
  await browser.open()
  await browser.open()
  browser.take()
  browser.mood = 'silent'
  await browser.pass(12_499)
  t.strictSame(browser.take(), ['beat at 10000'])
  await browser.pass(1)
  t.strictSame(browser.take(), ['beat at 12500'], 'and beats itself when the leader cannot')
})

t.test('page script: a tab that stays brings the visitor back when another leaves', async t => {
  const browser = new FakeBrowser()
  const leaving = await browser.open()
  await browser.open()
  await browser.open()
  await browser.pass(1_000)
  browser.take()
  await leaving.fire('pagehide')
  await browser.pass(249)
  t.strictSame(browser.take(), ['page leave by beacon at 1000'], 'not before the leave can be there')
  await browser.pass(201)
  t.equal(browser.take()[0], 'posted beat at 1250', 'for by GET it may be a late one of the tab that left')
})

t.test('page script: a hidden tab brings the visitor back too, and makes sure of it', async t => {
  const browser = new FakeBrowser()
  const leaving = await browser.open()
  const staying = await browser.open()
  await staying.setHidden(true)
  await browser.pass(1_000)
  browser.take()
  await leaving.fire('pagehide')
  await browser.pass(250 + 10_000 + 956_999)
  t.strictSame(browser.take(), ['page leave by beacon at 1000', 'posted beat at 1250', 'beat at 11250'])
  await browser.pass(1)
  t.strictSame(browser.take(), ['beat at 968250'])
})

t.test('page script: works alone where there is no channel', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open({ hasChannel: false })
  await browser.pass(10_000)
  await tab.fire('pagehide')
  t.strictSame(browser.take(), ['beat at 0', 'beat at 10000', 'page leave by beacon at 10000'])
})

t.test('page script: a hidden page beats seldom, and catches up when seen', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  await tab.setHidden(true)
  await browser.pass(10_000)
  t.strictSame(browser.take(), ['beat at 0', 'beat at 10000'],
    'a second beat, should the leave of the page before have come late')
  await browser.pass(956_999)
  t.strictSame(browser.take(), [])
  await browser.pass(1)
  t.strictSame(browser.take(), ['beat at 967000'])
  await browser.pass(4_000)
  await tab.setHidden(false)
  t.strictSame(browser.take(), [], 'seen early: the interval holds')
  await browser.pass(6_000)
  t.strictSame(browser.take(), ['beat at 977000'])
  await tab.setHidden(true)
  await browser.pass(15_000)
  await tab.setHidden(false)
  await browser.pass(0)
  t.strictSame(browser.take(), ['beat at 992000'], 'seen late: at once')
})

t.test('page script: a hidden page whose beat fails tries again as a seen one does', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  await browser.pass(10_000)
  browser.take()
  await tab.setHidden(true)
  browser.mood = 'unreachable'
  await browser.pass(957_000 + 10_000 + 20_000)
  t.strictSame(browser.take(), ['beat at 967000', 'beat at 977000', 'beat at 997000'])
})

t.test('page script: a clock set back or forward costs at most one interval', async t => {
  for (const jumpMs of [-3_600_000, 3_600_000]) {
    const browser = new FakeBrowser()
    const tab = await browser.open()
    browser.take()
    browser.nowMs += jumpMs
    await tab.setHidden(false)
    await browser.pass(10_000)
    t.ok(browser.take().length >= 1, `${jumpMs}`)
  }
})

t.test('page script: a denied visitor is told so, and the page falls silent', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  const other = await browser.open()
  await browser.pass(1_000)
  browser.take()
  browser.mood = { status: 403, error: 'denied' }
  await browser.pass(9_000)
  t.strictSame(browser.take(), ['beat at 10000'])
  for (const { body, document, news } of [tab, other]) {
    t.equal(document.title, 'Access ended')
    t.notMatch(body.text, 'the page')
    t.match(body.text, /^Your access has ended\. The people who run this site have ended your access to it\./)
    const main = body.children[0] as FakeElement
    t.equal(main.className, 'usher-denied')
    t.equal((main.children[0] as FakeElement).isFocused, true)
    t.equal(news.at(-1), 'denied')
  }
  browser.mood = {}
  for (const type of ['online', 'pagehide', 'pageshow', 'visibilitychange']) {
    await tab.fire(type, { persisted: true })
  }
  await browser.pass(3_600_000)
  t.strictSame(browser.take(), [])
  t.equal(browser.pendingTimerCount, 0)
})

t.test('page script: told to move, the page is loaded again from the router; its listeners come first', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  browser.mood = { status: 409, error: 'moved' }
  await browser.pass(10_000)
  t.strictSame(tab.news, ['beat 7', 'moved', 'loads http://localhost:8080/rooms/?a=1#here'])
  t.strictSame(browser.take(), ['beat at 0', 'beat at 10000'])
  // The visitor was asked, and stays: something is not saved yet.
  await browser.pass(10_000)
  t.strictSame(tab.news.slice(3), ['moved', 'loads http://localhost:8080/rooms/?a=1#here'])
  t.notMatch(tab.news, ['missed'])
})

t.test('page script: a server that takes nobody new is tried again later, and the page stays', async t => {
  const browser = new FakeBrowser()
  const tab = await browser.open()
  browser.mood = { status: 503, error: 'draining', retryAfter: '30' }
  await browser.pass(10_000 + 30_000)
  t.strictSame(tab.news, ['beat 7', 'missed', 'missed'])
  browser.mood = {}
  await browser.pass(30_000)
  t.strictSame(tab.news.at(-1), 'beat 7')
})

t.test('page script: knows the way to the front door', async t => {
  const cases: Array<[TabOptions, string]> = [
    [{ routingPort: 8080 }, 'http://localhost:8080/'],
    [{ routingPort: 9, hostname: '[::1]' }, 'http://[::1]:9/'],
    [{ routingPort: NaN }, '/'],
    [{ routerUrl: 'https://www.example.org' }, 'https://www.example.org/'],
    [{ routerUrl: 'http://a.example:81/shop', routingPort: NaN }, 'http://a.example:81/shop/'],
    [{ routerUrl: '__ROUTER_URL__' }, 'http://localhost:8080/']
  ]
  for (const [options, expected] of cases) {
    t.equal((await new FakeBrowser().open(options)).usher.frontDoor, expected)
  }
})

t.test('page script: waits as the server says, at least', async t => {
  const check = (pace: Partial<Pace>, random: number, expectedMs: number): void => {
    const whole = {
      intervalMs: 1000,
      thresholdMs: 1_800_000,
      failureCount: 0,
      isHidden: false,
      isOffline: false,
      isFollowing: false,
      ...pace
    }
    t.equal(beatDelayMs(whole, random), expectedMs, JSON.stringify({ pace, random }))
  }
  check({}, 1, 1000)
  check({ isOffline: true }, 1, 1000)
  check({ isFollowing: true }, 0, 1250)
  check({ isFollowing: true }, 1, 1500)
  check({ isHidden: true }, 0, 965_100)
  check({ isHidden: true, thresholdMs: 8000 }, 1, 3600)
  check({ isHidden: true, thresholdMs: 4000 }, 1, 1200)
  check({ isHidden: true, thresholdMs: NaN }, 1, 1200)
  check({ isHidden: true, thresholdMs: 1000 }, 1, 1000)
  check({ isHidden: true, isFollowing: true, thresholdMs: 8000 }, 1, 4500)
  check({ isOffline: true, failureCount: 3, thresholdMs: 8000 }, 1, 3600)
  check({ failureCount: 1 }, 0, 1000)
  check({ failureCount: 1 }, 1, 1500)
  check({ failureCount: 5 }, 0, 16_000)
  check({ failureCount: 6 }, 0, 30_000)
  check({ failureCount: 5000 }, 1, 45_000)
  check({ failureCount: 9, intervalMs: 60_000 }, 0, 60_000)
  check({ failureCount: 9, thresholdMs: 8000 }, 1, 3000)
  check({ failureCount: 9, thresholdMs: NaN }, 1, 1500)
})

t.test('page script: a hidden page that fails once is back before it is forgotten', async t => {
  /** A hidden tab's timer waits for the next minute; an answer is waited for ten seconds. */
  const [timerLateMs, answerMs] = [60_000, 10_000]
  const minutes = (count: number): number => count * 60_000
  for (const thresholdMs of [minutes(13), minutes(30), minutes(60), minutes(24 * 60)]) {
    for (const intervalMs of [2500, thresholdMs / 8, thresholdMs / 4]) {
      for (const isFollowing of [false, true]) {
        const pace = { thresholdMs, intervalMs, isFollowing, isHidden: true, isOffline: false }
        const firstMs = beatDelayMs({ ...pace, failureCount: 0 }, 1) + timerLateMs
        const secondMs = answerMs + timerLateMs + timerLateMs +
          beatDelayMs({ ...pace, failureCount: 1 }, 1)
        t.ok(firstMs >= intervalMs)
        t.ok(firstMs + secondMs <= thresholdMs, JSON.stringify({ ...pace, firstMs, secondMs }))
      }
    }
  }
})

t.test('page script: believes no interval that is out of reason', async t => {
  const cases: Array<[string | null, number | undefined]> = [
    ['2.5', 2500], ['0.1', 100], ['0.01', 100], ['86400', 86_400_000], ['86401', 86_400_000],
    ['Infinity', 86_400_000], ['0', undefined], ['-1', undefined], ['', undefined],
    ['soon', undefined], [null, undefined]
  ]
  for (const [header, expected] of cases) t.equal(parseIntervalMs(header), expected, String(header))
})

t.test('page script: is small, and has one place for each thing it is told', async t => {
  const built = buildSync({
    entryPoints: ['html/page-script/main.ts'],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false
  })
  const { contents, text } = built.outputFiles[0]!
  t.ok(brotliCompressSync(contents).length <= SIZE_BYTES_MAX)
  t.equal(text.split('__ROUTER_URL__').length, 2)
  t.equal(text.split('__ROUTING_PORT__').length, 2)
  t.equal(text.split('__TIMEOUT_THRESHOLD_MS__').length, 2)
})
