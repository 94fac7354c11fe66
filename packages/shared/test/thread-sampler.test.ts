import t from 'tap'
import { sampleThread, TICK_MS } from '@usher/shared/thread-sampler.ts'

/** A thread whose clock and timer a test moves. */
function testThread () {
  const delays: number[] = []
  const connections: Array<[count: number, atMs: number]> = []
  let nowMs = 1000
  let tick: (() => void) | undefined
  let open = 5
  const sampling = sampleThread({
    loopDelayed: ms => { delays.push(ms) },
    connectionsOpen: (count, atMs) => { connections.push([count, atMs]) }
  }, () => open++, {
    now: () => nowMs,
    startInterval: (ms, work) => {
      tick = work
      if (ms !== TICK_MS) throw new RangeError(`every ${ms} ms`)
      return () => { tick = undefined }
    }
  })
  return {
    delays,
    connections,
    sampling,
    isTicking: () => tick !== undefined,
    tickAfter (ms: number, times = 1) {
      for (let time = 0; time < times; time++) {
        nowMs += ms
        tick!()
      }
    }
  }
}

t.test('thread sampler: notes how late the loop was, never less than not at all', async t => {
  const thread = testThread()
  thread.tickAfter(TICK_MS)
  thread.tickAfter(TICK_MS - 0.5)
  thread.tickAfter(TICK_MS + 300)
  thread.tickAfter(TICK_MS)
  t.same(thread.delays, [0, 0, 300, 0])
})

t.test('thread sampler: counts connections at once and then every second', async t => {
  const thread = testThread()
  t.same(thread.connections, [[5, 1000]])
  thread.tickAfter(TICK_MS, 4)
  t.equal(thread.connections.length, 1)
  thread.tickAfter(TICK_MS)
  t.same(thread.connections, [[5, 1000], [6, 2000]])
  thread.tickAfter(TICK_MS, 5)
  t.same(thread.connections.at(-1), [7, 3000])
})

t.test('thread sampler: stops when it is closed', async t => {
  const thread = testThread()
  thread.sampling.close()
  t.notOk(thread.isTicking())
})

t.test('thread sampler: sees a loop that stands still when its timer is due', async t => {
  const alive = setInterval(() => {}, 1000)
  const seenMs = new Promise<number>(resolve => {
    const sampling = sampleThread({ loopDelayed: note, connectionsOpen: () => {} }, () => 0)
    function note (ms: number): void {
      if (ms < 90) return
      sampling.close()
      resolve(ms)
    }
  })
  const untilMs = performance.now() + TICK_MS + 100
  while (performance.now() < untilMs);
  t.ok(await seenMs >= 90)
  clearInterval(alive)
})
