import t from 'tap'
import { REMEMBERED_MAX, SessionMemory, type UnsavedSession } from '../../src/accounts/session-memory.ts'

function session (tokenHash: string, { accountId = 1, lastUsedMs = 1000 } = {}): UnsavedSession {
  return {
    tokenHash, accountId, lastUsedMs, createdMs: 1000, address: '::1', userAgent: '', passwordHash: 'x'
  }
}

t.test('session memory: a use is due again so long after the last write', async t => {
  const memory = new SessionMemory()
  const cases: ReadonlyArray<[nowMs: number, isDue: boolean]> = [
    [1000, false], [1099, false], [1100, true], [1101, false], [1199, false], [1200, true]
  ]
  for (const [nowMs, isDue] of cases) {
    t.equal(memory.use(session('a'), nowMs, 100), isDue, String(nowMs))
    t.equal(memory.lastUsedMs(session('a')), nowMs)
  }
  t.equal(memory.lastUsedMs(session('b')), 1000, 'of others nothing is known')
  t.same([...memory.uses()], [['a', 1200]])
})

t.test('session memory: what ended is neither used nor unsaved any more', async t => {
  const memory = new SessionMemory()
  memory.keep(session('a'))
  memory.keep(session('b', { accountId: 2 }))
  memory.use(session('a'), 2000, 100)
  memory.end('a')
  t.equal(memory.isEnded('a'), true)
  t.equal(memory.find('a'), undefined)
  t.same([...memory.uses()], [])
  t.match(memory.unsaved(), [{ tokenHash: 'b' }])
  memory.forgetEnd('a')
  t.equal(memory.isEnded('a'), false)
  memory.clear()
  t.same(memory.unsaved(), [])
})

t.test('session memory: is bounded, and forgets the oldest', async t => {
  const memory = new SessionMemory()
  for (let number = 0; number <= REMEMBERED_MAX; number++) {
    memory.keep(session(`kept ${number}`))
    memory.use(session(`used ${number}`), 2000, 100)
    memory.end(`ended ${number}`)
  }
  t.equal(memory.unsaved().length, REMEMBERED_MAX)
  t.equal([...memory.uses()].length, REMEMBERED_MAX)
  t.equal(memory.ended().length, REMEMBERED_MAX)
  t.equal(memory.find('kept 0'), undefined)
  t.ok(memory.find('kept 1'))
  t.equal(memory.isEnded('ended 0'), false)
  t.equal(memory.isEnded(`ended ${REMEMBERED_MAX}`), true)
})
