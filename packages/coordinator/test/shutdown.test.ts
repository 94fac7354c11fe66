import t, { type Test } from 'tap'
import { signalHandler } from '../src/shutdown.ts'
import { testLog } from './fixtures/log.ts'
import { until } from './fixtures/until.ts'

/** What happens at each step: a signal, and how long after the one before it comes. */
type Step = readonly [signal: NodeJS.Signals, afterMs?: number]

/** What the program was told to do. */
interface Seen {
  closes: number
  reloads: number
  restarts: number
  readonly exits: number[]
}

interface Case {
  readonly claim: string
  readonly steps: readonly Step[]
  readonly hasTerminal?: boolean
  readonly expected: Seen
}

const STOPPING: Seen = { closes: 1, reloads: 0, restarts: 0, exits: [] }

const CASES: readonly Case[] = [
  { claim: 'SIGINT stops', steps: [['SIGINT']], expected: STOPPING },
  { claim: 'SIGTERM stops', steps: [['SIGTERM']], expected: STOPPING },
  {
    claim: 'a second signal at once is the same Ctrl-C',
    steps: [['SIGINT'], ['SIGINT', 1]],
    expected: STOPPING
  },
  {
    claim: 'a second signal 500 ms later is still the same',
    steps: [['SIGINT'], ['SIGINT', 500]],
    expected: STOPPING
  },
  {
    claim: 'a second signal more than 500 ms later ends at once',
    steps: [['SIGINT'], ['SIGINT', 501]],
    expected: { ...STOPPING, exits: [1] }
  },
  {
    claim: 'the 500 ms count from the first signal',
    steps: [['SIGINT'], ['SIGINT', 300], ['SIGINT', 300]],
    expected: { ...STOPPING, exits: [1] }
  },
  {
    claim: 'the second signal may be another one',
    steps: [['SIGTERM'], ['SIGINT', 501]],
    expected: { ...STOPPING, exits: [1] }
  },
  {
    claim: 'SIGHUP without a terminal reloads, every time',
    steps: [['SIGHUP'], ['SIGHUP', 1], ['SIGHUP', 1000]],
    expected: { closes: 0, reloads: 3, restarts: 0, exits: [] }
  },
  {
    claim: 'SIGUSR2 restarts the servers, every time, with or without a terminal',
    steps: [['SIGUSR2'], ['SIGUSR2', 0], ['SIGUSR2', 1000]],
    hasTerminal: true,
    expected: { closes: 0, reloads: 0, restarts: 3, exits: [] }
  },
  {
    claim: 'a stop restarts nothing any more, and is not cut short by SIGUSR2',
    steps: [['SIGTERM'], ['SIGUSR2', 1], ['SIGUSR2', 1000]],
    expected: STOPPING
  },
  {
    claim: 'SIGHUP with a terminal stops: the window was closed',
    steps: [['SIGHUP']],
    hasTerminal: true,
    expected: STOPPING
  },
  {
    claim: 'SIGHUP with a terminal is a second signal',
    steps: [['SIGINT'], ['SIGHUP', 501]],
    hasTerminal: true,
    expected: { ...STOPPING, exits: [1] }
  },
  {
    claim: 'a stop reloads nothing any more, and is not cut short by SIGHUP',
    steps: [['SIGTERM'], ['SIGHUP', 1], ['SIGHUP', 1000]],
    expected: STOPPING
  },
  {
    claim: 'a reload before it makes no signal the second one',
    steps: [['SIGHUP'], ['SIGTERM', 1000]],
    expected: { closes: 1, reloads: 1, restarts: 0, exits: [] }
  }
]

t.test('shutdown: does at each signal what is expected of it', async t => {
  for (const { claim, steps, hasTerminal, expected } of CASES) {
    const { signal, seen, finish } = testShutdown({ hasTerminal: hasTerminal ?? false })
    for (const [name, afterMs = 0] of steps) signal(name, afterMs)
    t.strictSame(seen, expected, claim)
    await finish()
  }
})

t.test('shutdown: exits with 0 when everything is closed, not before', async t => {
  const { signal, seen, finish, lines } = testShutdown()
  signal('SIGTERM')
  t.strictSame(seen.exits, [])
  await finish()
  t.strictSame(seen.exits, [0])
  t.match(lines, [{ msg: 'received a signal to stop', signal: 'SIGTERM' }, { msg: 'stopped' }])
})

t.test('shutdown: exits with 1 when the closing fails, and says why', async t => {
  const { signal, seen, lines } = testShutdown({ close: () => Promise.reject(new Error('stuck')) })
  signal('SIGTERM')
  await until(() => seen.exits.length > 0)
  t.strictSame(seen.exits, [1])
  t.match(lines.at(-1), { level: 60, msg: 'the stop failed', err: { message: 'stuck' } })
})

t.test('shutdown: exits with 1 at the deadline', async t => {
  const { signal, seen, lines } = testShutdown({
    timeoutMs: 20, close: () => new Promise(() => {})
  })
  const startMs = performance.now()
  signal('SIGTERM')
  await until(() => seen.exits.length > 0)
  t.ok(performance.now() - startMs >= 18, 'a timer may be early by 1 ms')
  t.strictSame(seen.exits, [1])
  t.match(lines.at(-1), { level: 50, timeoutMs: 20, msg: /timed out/ })
})

t.test('shutdown: a stop in time, or a failed one, leaves no deadline behind', async t => {
  for (const close of [() => Promise.resolve(), () => Promise.reject(new Error('stuck'))]) {
    const timers = watchTimers(t)
    const { signal, seen } = testShutdown({ close })
    signal('SIGTERM')
    await until(() => seen.exits.length > 0)
    t.equal(timers.set, 1)
    t.equal(timers.cleared, 1)
    timers.restore()
  }
})

t.test('shutdown: what means nothing is logged, and neither stops nor reloads', async t => {
  const { signal, seen, lines, finish } = testShutdown({ hasTerminal: true })
  for (const name of ['SIGUSR1', 'SIGIO', 'SIGALRM', 'SIGPWR'] as const) signal(name, 1000)
  t.strictSame(seen, { closes: 0, reloads: 0, restarts: 0, exits: [] })
  t.match(lines, [{ level: 40, signal: 'SIGUSR1', msg: /ignored/ }, {}, {}, { signal: 'SIGPWR' }])
  signal('SIGTERM', 1000)
  t.strictSame(seen, STOPPING, 'the signal after it is not a second one')
  await finish()
})

/** A handler of signals with a program to close; it closes when `finish` is called. */
function testShutdown ({
  hasTerminal = false, timeoutMs = 60_000, close = undefined as (() => Promise<void>) | undefined
} = {}) {
  const seen: Seen = { closes: 0, reloads: 0, restarts: 0, exits: [] }
  const { log, lines } = testLog('info')
  let nowMs = 5000
  let letGo = (): void => {}
  const handle = signalHandler({
    close: close ?? (() => {
      seen.closes++
      return new Promise(resolve => { letGo = resolve })
    }),
    reload: async () => { seen.reloads++ },
    restartServers: async () => { seen.restarts++ },
    hasTerminal,
    timeoutMs,
    now: () => nowMs,
    exit: code => { seen.exits.push(code) },
    log
  })
  return {
    seen,
    lines,
    signal (name: NodeJS.Signals, afterMs = 0): void {
      nowMs += afterMs
      handle(name)
    },
    /** Everything is closed now; what was to be stopped is. */
    async finish (): Promise<void> {
      const before = seen.exits.length
      letGo()
      if (seen.closes > 0) await until(() => seen.exits.length > before)
    }
  }
}

/** Counts the timers that are set and cleared from now on. */
function watchTimers (t: Test) {
  const { setTimeout, clearTimeout } = globalThis
  const handles = new Set<unknown>()
  const counts = { set: 0, cleared: 0, restore () { one.restore(); other.restore() } }
  const one = t.intercept(globalThis, 'setTimeout', {
    value: (callback: () => void, waitMs: number) => {
      const handle = setTimeout(callback, waitMs)
      if (waitMs === 60_000) handles.add(handle)
      counts.set = handles.size
      return handle
    }
  })
  const other = t.intercept(globalThis, 'clearTimeout', {
    value: (handle: NodeJS.Timeout) => {
      if (handles.has(handle)) counts.cleared++
      clearTimeout(handle)
    }
  })
  return counts
}
