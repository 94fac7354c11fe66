/** Tabs that share a stream: who leads, and who takes over; time and the channel are a test's. */
import t from 'tap'
import type { Stats } from '@usher/shared/api/stats.ts'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import type { LiveState } from '../../../monitor-script/live/live.ts'
import {
  SharedLive, type SharedLiveParts, type TabMessage
} from '../../../monitor-script/live/shared-live.ts'
import { testStats } from '../fixtures/test-stats.ts'

interface Timer {
  readonly atMs: number
  readonly action: () => void
}

/** The browser of all tabs: its clock, its timers, and the channel, which is not synchronous. */
class FakeBrowser {
  nowMs = 0
  readonly tabs: Tab[] = []
  readonly #timers = new Set<Timer & { readonly tab: Tab }>()
  #messages: Array<{ readonly from: Tab, readonly message: TabMessage }> = []

  open (id: string, parts: Partial<SharedLiveParts> = {}): Tab {
    const tab = new Tab(this, id, parts)
    this.tabs.push(tab)
    tab.live.enter()
    return tab
  }

  post (from: Tab, message: TabMessage): void {
    this.#messages.push({ from, message })
  }

  schedule (tab: Tab, action: () => void, delayMs: number): () => void {
    const timer = { tab, action, atMs: this.nowMs + delayMs }
    this.#timers.add(timer)
    return () => { this.#timers.delete(timer) }
  }

  /** Lets time go by, and everything happen in its order; a frozen tab does and hears nothing. */
  async pass (ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    for (;;) {
      await this.#deliver()
      const [next] = [...this.#timers].filter(({ tab }) => !tab.isFrozen && !tab.isSlow)
        .sort((a, b) => a.atMs - b.atMs)
      if (next === undefined || next.atMs > endMs) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.#timers.delete(next)
      next.action()
    }
    this.nowMs = endMs
  }

  get leaders (): string[] {
    return this.tabs.filter(({ streams }) => streams.some(({ isOpen }) => isOpen))
      .map(({ id }) => id).sort()
  }

  async #deliver (): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    while (this.#messages.length > 0) {
      const { from, message } = this.#messages.shift()!
      for (const tab of this.tabs) {
        if (tab !== from && !tab.isFrozen) tab.hear?.(structuredClone(message))
      }
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    }
  }
}

class Tab {
  readonly id: string
  readonly live: SharedLive
  readonly streams: Array<{ isOpen: boolean, send (stats: Stats): void, fail (): void }> = []
  readonly states: LiveState[] = []
  readonly heard: Stats[] = []
  hear: ((message: TabMessage) => void) | undefined
  isFrozen = false
  /** Hidden for long: its timers come late, messages do not. */
  isSlow = false
  refusals = 0
  looks = 0
  answer: Answer<Stats> = { isOk: true, body: testStats() }

  constructor (browser: FakeBrowser, id: string, parts: Partial<SharedLiveParts>) {
    this.id = id
    this.live = new SharedLive({
      id,
      openChannel: hear => {
        this.hear = hear
        return {
          postMessage: message => { browser.post(this, message) },
          close: () => { this.hear = undefined }
        }
      },
      onRefused: () => { this.refusals++ },
      openStream: () => this.#openStream(),
      look: async () => {
        this.looks++
        return this.answer
      },
      schedule: (action, delayMs) => browser.schedule(this, action, delayMs),
      now: () => browser.nowMs,
      random: () => 0,
      onStats: stats => { this.heard.push(stats) },
      onState: state => { this.states.push(state) },
      ...parts
    })
  }

  get shows (): string | undefined {
    return this.states.at(-1)?.kind
  }

  #openStream (): ReturnType<SharedLiveParts['openStream']> {
    const listeners = new Map<string, (event: { data?: string }) => void>()
    const stream = {
      isOpen: true,
      send: (stats: Stats) => { listeners.get('stats')?.({ data: JSON.stringify(stats) }) },
      fail: () => { listeners.get('error')?.({}) }
    }
    this.streams.push(stream)
    return {
      addEventListener: (type, listener) => { listeners.set(type, listener) },
      close: () => { stream.isOpen = false }
    }
  }
}

function statsAt (timestamp: string): Stats {
  return { ...testStats(), timestamp }
}

/** Eight tabs at once, of which one leads and has heard something. */
async function eightTabs () {
  const browser = new FakeBrowser()
  const tabs = Array.from({ length: 8 }, (_, each) => browser.open(`tab ${8 - each}`))
  await browser.pass(2000)
  const leader = tabs.find(({ id }) => id === browser.leaders[0])!
  leader.streams[0]!.send(statsAt('1'))
  await browser.pass(0)
  return { browser, tabs, leader, others: tabs.filter(tab => tab !== leader) }
}

t.test('shared live: of eight tabs one has a stream, and all hear what it says', async t => {
  const { browser, tabs, leader } = await eightTabs()
  t.strictSame(browser.leaders, ['tab 1'], 'the lowest')
  t.equal(tabs.flatMap(({ streams }) => streams).length, 1, 'there never was another')
  for (const tab of tabs) {
    t.strictSame([tab.shows, tab.heard.map(({ timestamp }) => timestamp)], ['live', ['1']])
  }
  const late = browser.open('tab 0')
  await browser.pass(0)
  t.strictSame([late.shows, late.heard.length], ['live', 1], 'one that comes knows all at once')
  await browser.pass(14_000)
  t.strictSame(browser.leaders, [leader.id], 'and leads no better')
  t.equal(late.heard.length, 1, 'an answer to a question is no news')
})

t.test('shared live: when the leader closes, another goes on at once and nobody sees a gap', async t => {
  const { browser, leader, others } = await eightTabs()
  for (const { states } of others) states.length = 0
  leader.live.leave()
  await browser.pass(1000)
  t.strictSame(browser.leaders, ['tab 2'])
  browser.tabs.find(({ id }) => id === 'tab 2')!.streams[0]!.send(statsAt('2'))
  await browser.pass(0)
  for (const tab of others) {
    t.equal(tab.heard.at(-1)?.timestamp, '2')
    t.strictSame(new Set(tab.states.map(({ kind }) => kind)), new Set(['live']))
  }
  leader.live.enter()
  await browser.pass(1000)
  t.strictSame(browser.leaders, ['tab 2'], 'one that comes back follows')
  t.equal(leader.heard.at(-1)?.timestamp, '2')
})

t.test('shared live: a leader that crashed or is frozen is replaced, and stands back when it wakes', async t => {
  const { browser, leader, others } = await eightTabs()
  leader.isFrozen = true
  await browser.pass(12_000)
  t.strictSame(browser.leaders, ['tab 1', 'tab 2'], 'frozen, it knows nothing of it')
  browser.tabs.find(({ id }) => id === 'tab 2')!.streams[0]!.send(statsAt('2'))
  await browser.pass(0)
  for (const tab of others) t.equal(tab.heard.at(-1)?.timestamp, '2')
  leader.isFrozen = false
  await browser.pass(10_000)
  t.equal(browser.leaders.length, 1, 'one of two gives way')
})

t.test('shared live: a leader without news is left in peace as long as it answers', async t => {
  const { browser, tabs, leader } = await eightTabs()
  for (let each = 0; each < 20; each++) {
    await browser.pass(14_000)
    leader.streams[0]!.send(statsAt(`${each}`))
  }
  t.strictSame(browser.leaders, [leader.id])
  t.equal(tabs.flatMap(({ streams }) => streams).length, 1)
})

t.test('shared live: all are stale when the stream is, and whoever is seen tries again', async t => {
  const { browser, tabs, leader } = await eightTabs()
  leader.answer = { isOk: false, status: 0, error: '', message: '', retryAfterS: undefined }
  leader.streams[0]!.fail()
  await browser.pass(0)
  for (const tab of tabs) {
    t.strictSame(tab.states.at(-1), { kind: 'stale', why: 'unknown', retryMs: 1000 })
  }
  await browser.pass(1000)
  t.equal(leader.looks, 1)
  t.strictSame(tabs[0]!.states.at(-1), { kind: 'stale', why: 'unreachable', retryMs: 2000 })
  tabs[0]!.live.tryNow()
  await browser.pass(0)
  t.equal(leader.looks, 2, 'a button in any tab')
  leader.answer = { isOk: true, body: statsAt('2') }
  leader.live.tryNow()
  await browser.pass(0)
  leader.streams.at(-1)!.send(statsAt('3'))
  await browser.pass(0)
  for (const tab of tabs) t.strictSame([tab.shows, tab.heard.at(-1)?.timestamp], ['live', '3'])
})

t.test('shared live: others see to it that a hidden leader, whose timers are late, goes on', async t => {
  const { browser, leader, others } = await eightTabs()
  leader.isSlow = true
  leader.streams[0]!.fail()
  await browser.pass(1999)
  t.equal(leader.looks, 0)
  await browser.pass(1)
  t.equal(leader.looks, 1)
  leader.streams.at(-1)!.send(statsAt('2'))
  await browser.pass(26_000)
  t.equal(leader.streams.filter(({ isOpen }) => isOpen).length, 1)
  t.equal(leader.looks, 2, 'silence is noticed as well')
  t.strictSame(browser.leaders, [leader.id])
  t.equal(others[0]!.shows, 'stale')
})

t.test('shared live: the end of the session reaches every tab', async t => {
  const { browser, leader, others } = await eightTabs()
  leader.answer = { isOk: false, status: 401, error: '', message: '', retryAfterS: undefined }
  leader.streams[0]!.fail()
  await browser.pass(1000)
  t.strictSame(others.map(({ refusals }) => refusals), others.map(() => 1))
})

t.test('shared live: without a channel each tab has a stream of its own', async t => {
  const browser = new FakeBrowser()
  for (const id of ['a', 'b']) browser.open(id, { openChannel: () => undefined })
  t.strictSame(browser.leaders, ['a', 'b'])
})

t.test('shared live: who has left does nothing any more', async t => {
  const { browser, tabs } = await eightTabs()
  for (const tab of tabs) tab.live.leave()
  for (const tab of tabs) tab.live.leave()
  const counts = (): number[] => tabs.map(({ states, streams }) => states.length + streams.length)
  const before = counts()
  await browser.pass(60_000)
  t.strictSame(browser.leaders, [])
  t.strictSame(counts(), before)
})
