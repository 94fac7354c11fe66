/** How long a visitor has been here: over reloads, over absences, under clocks that are set. */
import t from 'tap'
import { startStay, type TabStorage } from '../room-script/stay.ts'

const MINUTE_MS = 60_000
const START_MS = 1_790_000_000_000

function testTab (entry: string | null = null) {
  const tab = { nowMs: START_MS, entry }
  const storage: TabStorage = {
    getItem: () => tab.entry,
    setItem: (_key, value) => { tab.entry = value }
  }
  return { tab, storage, open: () => startStay(storage, () => tab.nowMs) }
}

t.test('stay: minutes and hours, in whole ones that have passed', async t => {
  const { tab, open } = testTab()
  const stay = open()
  const check = (minutes: number, text: string): void => {
    tab.nowMs = START_MS + minutes * MINUTE_MS
    t.equal(stay.text(), `Here for ${text}`)
  }
  check(0, 'less than a minute')
  check(0.999, 'less than a minute')
  check(1, '1 min')
  check(59.9, '59 min')
  check(60, '1 h')
  check(64, '1 h 4 min')
  check(1500, '25 h')
})

t.test('stay: a reload goes on, a return after more than a minute begins anew', async t => {
  for (const [awayMs, text] of [[0, '4 min'], [60_000, '5 min'], [60_001, 'less than a minute']] as const) {
    const { tab, open } = testTab()
    const first = open()
    tab.nowMs += 4 * MINUTE_MS
    first.pause()
    tab.nowMs += awayMs
    t.equal(open().text(), `Here for ${text}`, `away for ${awayMs} ms`)
  }
})

t.test('stay: a page that the browser brings back obeys the same rule', async t => {
  for (const [awayMs, text] of [[60_000, '5 min'], [60_001, 'less than a minute']] as const) {
    const { tab, open } = testTab()
    const stay = open()
    tab.nowMs += 4 * MINUTE_MS
    stay.pause()
    tab.nowMs += awayMs
    t.equal(stay.text(), `Here for ${text}`)
  }
})

t.test('stay: a clock that was set back, and a stored text that is nonsense, begin anew', async t => {
  const { tab, open } = testTab()
  const stay = open()
  tab.nowMs -= 10 * MINUTE_MS
  t.equal(stay.text(), 'Here for less than a minute')
  tab.nowMs += 2 * MINUTE_MS
  t.equal(stay.text(), 'Here for 2 min')
  const entries = ['', 'x y', '1', `${START_MS}`, `0 ${START_MS}`, `${START_MS} ${START_MS - 1}`,
    `${START_MS} ${START_MS + 1}`, `Infinity ${START_MS}`]
  for (const entry of entries) t.equal(testTab(entry).open().text(), 'Here for less than a minute', entry)
})

t.test('stay: storage that is missing or throws is done without', async t => {
  const forbid = (): never => { throw new Error('QuotaExceededError') }
  for (const storage of [undefined, { getItem: forbid, setItem: forbid }]) {
    let nowMs = START_MS
    const stay = startStay(storage, () => nowMs)
    nowMs += MINUTE_MS
    t.equal(stay.text(), 'Here for 1 min')
    t.doesNotThrow(() => stay.pause())
  }
})
