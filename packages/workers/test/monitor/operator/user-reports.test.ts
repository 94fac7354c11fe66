/** Batches of who is on a server and who has left it, on a user table of their own. */
import t from 'tap'
import type { ReportedUser } from '@usher/shared/api/reports.ts'
import { parseAddress, parseClientId } from '@usher/shared/client.ts'
import { RightWithdrawn } from '@usher/shared/errors.ts'
import { silentLog } from '@usher/shared/log.ts'
import { allocateTable, MAIN_THREAD_PATIENCE } from '@usher/shared/memory/table-view.ts'
import { UserTable } from '@usher/shared/memory/user-table.ts'
import { NAMED_SERVERS } from '../../../../shared/test/settings/test-servers.ts'
import type { Caller } from '../../../src/monitor/access/rights.ts'
import { Reports } from '../../../src/monitor/operator/user-reports.ts'

const CALLER = { tokenId: 7 } as Caller
const [FIRST, SECOND] = NAMED_SERVERS
const TIMES = { unconfirmedMs: 120_000, leaveGraceMs: 2000 }
const RETURN_GRACE_MS = 20_000
const HOME = parseAddress('192.0.2.1')!

function id (number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

const seen = (number: number): ReportedUser => ({ id: id(number), seen: true })
const left = (number: number): ReportedUser => ({ id: id(number), left: true })

function start (usersMax = 1024, permit: () => void = () => {}) {
  const clock = { nowMs: 5_000_000 }
  const table = new UserTable(allocateTable(usersMax, NAMED_SERVERS.length, TIMES, () => 7), {
    threadTag: 1, patience: MAIN_THREAD_PATIENCE, now: () => clock.nowMs
  })
  for (const { index } of NAMED_SERVERS) table.setServerState(index, 'up')
  const denied = new Set<number>()
  const reports = new Reports({
    table,
    servers: NAMED_SERVERS,
    denyList: {
      isDenied: client => [...denied].some(one => parseClientId(id(one))!.w3 === client?.w3)
    },
    permit: {
      act: async (_caller, _needs, act) => {
        permit()
        return await act()
      }
    },
    log: silentLog()
  })
  const report = (users: readonly ReportedUser[], server = FIRST!.name) =>
    reports.report(CALLER, server, users)
  return { table, clock, denied, report }
}

const NOBODY = { arrived: 0, moved_here: 0, still_here: 0, left: 0, not_here: 0, refused: [] }

t.test('reports: each does what a beat or a leave does, in the order of the batch', async t => {
  const { table, report } = start()
  t.strictSame(await report([seen(1), seen(2), seen(3)]), {
    ...NOBODY, server: FIRST!.name, arrived: 3, active_users: 3
  })
  t.match(await report([seen(1), seen(4)]), { still_here: 1, arrived: 1, active_users: 4 })
  t.match(await report([seen(2)], SECOND!.name), { moved_here: 1, active_users: 1 })
  t.match(await report([left(2), left(1), left(9)]), { left: 1, not_here: 2, active_users: 2 })
  t.match(await report([seen(5), left(5), seen(5)]), { arrived: 2, left: 1, active_users: 3 })
  t.match(table.find(parseClientId(id(5))!), { server: FIRST!.index, address: { w3: 0 } })
  t.strictSame(table.check(), [])
})

t.test('reports: who leaves and comes again in a batch is there, and where places are held, too', async t => {
  for (const capacity of [undefined, 8]) {
    const { table, clock, report } = start()
    const limits = NAMED_SERVERS.map(() => ({ capacity, weight: 1 }))
    table.setLimits(limits, RETURN_GRACE_MS)
    t.match(await report([seen(5), left(5), seen(5)]), { arrived: 2, left: 1, active_users: 1 })
    clock.nowMs += 2 * RETURN_GRACE_MS
    for (let shard = 0; shard < table.shardCount; shard++) table.endDue(shard)
    t.equal(table.activeUsers(FIRST!.index), 1, `with a capacity of ${capacity}`)
  }
})

t.test('reports: of a person with an address the report changes nothing of it', async t => {
  const { table, report } = start()
  table.touch(parseClientId(id(1))!, FIRST!.index, HOME)
  t.match(await report([seen(1)]), { still_here: 1 })
  t.match(table.find(parseClientId(id(1))!), { address: HOME })
})

t.test('reports: who may not be there is named, with why, and the others are counted', async t => {
  const { denied, report } = start()
  denied.add(2)
  t.strictSame(await report([seen(1), seen(2), seen(3)]), {
    ...NOBODY, server: FIRST!.name, arrived: 2, refused: [{ id: id(2), why: 'denied' }], active_users: 2
  })
})

t.test('reports: a draining server keeps whom it has and gets nobody new', async t => {
  const { table, clock, report } = start()
  await report([seen(1)])
  table.setServerState(FIRST!.index, 'draining')
  t.match(await report([seen(1), seen(2)]), { still_here: 1, refused: [{ id: id(2), why: 'draining' }] })
  table.setServerState(FIRST!.index, 'draining', clock.nowMs)
  t.match(await report([seen(1), left(1)]),
    { left: 1, refused: [{ id: id(1), why: 'moved' }], active_users: 0 })
  table.setServerState(FIRST!.index, 'down')
  t.match(await report([seen(1)]), { refused: [{ id: id(1), why: 'unavailable' }], active_users: 0 })
})

t.test('reports: a server that is down keeps whom it has, as long as they are reported', async t => {
  const { table, clock, report } = start()
  await report([seen(1)])
  await report([seen(2)], SECOND!.name)
  table.setServerState(FIRST!.index, 'down')
  clock.nowMs += 5000
  t.match(await report([seen(1), seen(2), seen(3)]), {
    still_here: 1, refused: [{ id: id(2), why: 'unavailable' }, { id: id(3), why: 'unavailable' }]
  })
  t.match(table.find(parseClientId(id(1))!), { lastSeenAgoMs: 0 })
  t.match(table.find(parseClientId(id(2))!), { server: SECOND!.index })
})

t.test('reports: whoever is reported does not count among the pages that beat', async t => {
  const { table, report } = start()
  await report([seen(1), seen(2)])
  const beating = new Int32Array(NAMED_SERVERS.length)
  const windowsMs = NAMED_SERVERS.map(() => 5000)
  for (let shard = 0; shard < table.shardCount; shard++) table.addBeating(shard, windowsMs, beating)
  t.equal(beating[FIRST!.index], 0)
})

t.test('reports: when the table is full, those that have no room are named', async t => {
  const { table, clock, report } = start(64)
  const everybody = Array.from({ length: 64 }, (_, at) => seen(at + 1))
  t.match(await report(everybody), { arrived: 64, refused: [] })
  clock.nowMs += 60_000
  t.match(await report(everybody), { still_here: 64 })
  t.equal(table.isFull(), true, 'all have been seen twice')
  t.match(await report([seen(65), seen(1), left(2), seen(66)]), {
    arrived: 1, still_here: 1, left: 1, refused: [{ id: id(65), why: 'unavailable' }], active_users: 64
  })
})

t.test('reports: nothing of a batch is done if anything about it is wrong', async t => {
  const { table, report } = start()
  const check = async (
    users: readonly unknown[], error: { code: string, message?: string | RegExp }, server?: string
  ): Promise<void> => {
    await t.rejects(report(users as ReportedUser[], server), error)
    t.equal(table.size(), 0)
  }
  await check([seen(1)], { code: 'not_found', message: /No server has the name nowhere; there are / }, 'nowhere')
  await check([seen(1), { id: 'x', seen: true }],
    { code: 'bad_request', message: 'users[1]: id must be a UUID other than the nil UUID; "x" is not one. Nothing of the batch was done.' })
  await check([seen(1), { id: '00000000-0000-0000-0000-000000000000', seen: true }], { code: 'bad_request' })
  for (const wrong of [
    {}, { seen: true, left: true }, { seen: false }, { left: false }, { seen: true, left: false }
  ]) {
    await check([seen(1), { id: id(2), ...wrong }], { code: 'bad_request', message: /^users\[1\]: give either "seen": true or "left": true/ })
  }
  await check(Array.from({ length: 1001 }, (_, at) => seen(at)),
    { code: 'body_too_large', message: 'A batch has 1000 users at most; this one has 1001. Send it in several.' })
  t.match(await report(Array.from({ length: 1000 }, (_, at) => seen(at + 1))), { arrived: 1000 })
})

t.test('reports: whose token has ended by then reports nothing', async t => {
  const { table, report } = start(1024, () => { throw new RightWithdrawn() })
  await t.rejects(report([seen(1)]), { code: 'USHER_RIGHT_WITHDRAWN' })
  t.equal(table.size(), 0)
})
