/** The pages that are kept of a long list; the monitor is a fake with numbered users. */
import t from 'tap'
import type { Users } from '@usher/shared/api/users.ts'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import { PAGE_USERS, UserPages } from '../../../monitor-script/users/user-pages.ts'
import { EVERYBODY } from '../../../monitor-script/users/users-page.ts'
import { testUser } from '../fixtures/test-user.ts'

const turn = (): Promise<void> => new Promise(resolve => { setImmediate(resolve) })

function testPages (matched: number) {
  const monitor = { matched, isDown: false, asked: [] as string[], hold: [] as Array<() => void> }
  let isHeld = false
  const get = async (path: string): Promise<Answer<Users>> => {
    const query = new URLSearchParams(path.split('?')[1])
    const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))]
    monitor.asked.push(`${query.get('q') ?? ''}${offset}+${limit}`)
    if (isHeld) await new Promise<void>(resolve => { monitor.hold.push(resolve) })
    if (monitor.isDown) {
      return { isOk: false, status: 0, error: '', message: '', retryAfterS: undefined }
    }
    const length = Math.max(0, Math.min(limit, monitor.matched - offset))
    const name = query.get('q') ?? 'u'
    const users = Array.from({ length }, (_, at) => testUser({ id: `${name}${offset + at}` }))
    return { isOk: true, body: { users, matched: monitor.matched, next_cursor: null } }
  }
  let changes = 0
  const pages = new UserPages({ get, onChange: () => { changes++ } })
  return {
    pages,
    monitor,
    changes: () => changes,
    holdAnswers: (hold: boolean) => {
      isHeld = hold
      for (const release of monitor.hold.splice(0)) release()
    }
  }
}

t.test('user pages: begins with the first, fetches what is looked at', async t => {
  const { pages, monitor, changes } = testPages(100_000)
  t.equal(await pages.begin(EVERYBODY), true)
  t.equal(pages.matched, 100_000)
  t.equal(pages.at(99)?.id, 'u99')
  t.equal(pages.at(100), undefined)
  pages.want(49_980, 50_020)
  t.ok(pages.isLoading)
  await turn()
  t.equal(pages.at(49_999)?.id, 'u49999')
  t.equal(pages.at(50_000)?.id, 'u50000')
  t.equal(changes(), 2)
  t.notOk(pages.isLoading)
  pages.want(49_990, 50_030)
  t.strictSame(monitor.asked, ['0+100', '49900+100', '50000+100'], 'each once')
})

t.test('user pages: the last page is short, and there is none behind it', async t => {
  const { pages, monitor } = testPages(250)
  await pages.begin(EVERYBODY)
  pages.want(210, 290)
  await turn()
  t.equal(pages.at(249)?.id, 'u249')
  t.equal(pages.at(250), undefined)
  t.strictSame(monitor.asked, ['0+100', '200+100'])
})

t.test('user pages: keeps so many, whichever way one scrolls', async t => {
  const { pages } = testPages(100_000)
  await pages.begin(EVERYBODY)
  for (let first = 0; first < 40_000; first += 100) {
    pages.want(first, first + 30)
    await turn()
  }
  t.ok(pages.loadedCount <= 20 * PAGE_USERS, `${pages.loadedCount}`)
  t.ok(pages.at(39_900), 'what is looked at is kept')
  t.equal(pages.at(0), undefined, 'what is far is not')
  pages.want(0, 30)
  await turn()
  t.equal(pages.at(0)?.id, 'u0', 'and comes again')
})

t.test('user pages: who scrolls fast is not answered page by page', async t => {
  const { pages, monitor, holdAnswers } = testPages(100_000)
  await pages.begin(EVERYBODY)
  holdAnswers(true)
  for (let first = 1000; first < 50_000; first += 1000) pages.want(first, first + 30)
  t.equal(monitor.asked.length, 3, 'two on their way')
  holdAnswers(false)
  await turn()
  t.equal(pages.at(49_000)?.id, 'u49000', 'then where one has come to')
  t.equal(monitor.asked.length, 4)
})

t.test('user pages: an answer that was overtaken is no news', async t => {
  const { pages, holdAnswers } = testPages(1000)
  await pages.begin(EVERYBODY)
  holdAnswers(true)
  pages.want(500, 530)
  const slow = pages.begin({ ...EVERYBODY, search: 'a' })
  const quick = pages.begin({ ...EVERYBODY, search: 'b' })
  holdAnswers(false)
  t.strictSame(await Promise.all([slow, quick]), [false, true])
  t.equal(pages.at(0)?.id, 'b0')
  await turn()
  t.equal(pages.at(500), undefined, 'nor is a page of the list before')
})

t.test('user pages: the list stands when a new one cannot be had', async t => {
  const { pages, monitor } = testPages(1000)
  await pages.begin(EVERYBODY)
  monitor.isDown = true
  t.equal(await pages.begin({ ...EVERYBODY, search: 'a' }), false)
  t.equal(pages.at(0)?.id, 'u0')
  pages.want(500, 530)
  await turn()
  t.equal(pages.at(500), undefined)
  const askedCount = monitor.asked.length
  pages.want(500, 530)
  t.equal(monitor.asked.length, askedCount, 'not asked for again and again')
  monitor.isDown = false
  pages.retry()
  await turn()
  t.equal(pages.at(500)?.id, 'u500')
})

t.test('user pages: newer facts change nobody\'s place', async t => {
  const { pages, monitor } = testPages(300)
  await pages.begin(EVERYBODY)
  pages.update([testUser({ id: 'u5', server: '8002' }), testUser({ id: 'new' })])
  t.strictSame([pages.at(4)?.server, pages.at(5)?.server], ['8000', '8002'])
  t.equal(pages.at(6)?.id, 'u6')
  await pages.renew(150)
  t.equal(monitor.asked.at(-1), '100+100')
})

t.test('user pages: a range is there at once, or fetched in one piece', async t => {
  const { pages, monitor } = testPages(5000)
  await pages.begin(EVERYBODY)
  t.equal((await pages.range(10, 20))?.at(-1)?.id, 'u29')
  t.equal(monitor.asked.length, 1)
  const users = await pages.range(50, 1000)
  t.strictSame([users?.length, users?.at(-1)?.id], [1000, 'u1049'])
  t.equal(monitor.asked.at(-1), '50+1000')
  monitor.isDown = true
  t.equal(await pages.range(3000, 10), undefined)
})
