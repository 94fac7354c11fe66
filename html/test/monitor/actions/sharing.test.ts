/** How many others a denial would reach. */
import t from 'tap'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import { countOthers } from '../../../monitor-script/actions/sharing.ts'

function testMonitor (answers: ReadonlyArray<object | undefined>) {
  const asked: string[] = []
  const left = [...answers]
  const get = async (path: string): Promise<Answer<object>> => {
    asked.push(path)
    const body = left.shift()
    return body === undefined
      ? { isOk: false, status: 404, error: '', message: '', retryAfterS: undefined }
      : { isOk: true, body }
  }
  return { asked, get }
}

t.test('sharing: those who share the addresses, without the picked', async t => {
  const { asked, get } = testMonitor([{ users: 47 }])
  t.equal(await countOthers({ places: ['192.0.2.1', '::1'], pickedCount: 3 }, { get }), 44)
  t.strictSame(asked, ['/users/sharing?address=192.0.2.1&address=%3A%3A1'])
})

t.test('sharing: fewer than picked is none, somebody has left', async t => {
  const { get } = testMonitor([{ users: 1 }])
  t.equal(await countOthers({ places: ['192.0.2.1'], pickedCount: 3 }, { get }), 0)
})

t.test('sharing: a range is searched for, range by range', async t => {
  const { asked, get } = testMonitor([{ matched: 10 }, { matched: 5 }])
  const reach = { places: ['192.0.2.0/24', '198.51.100.0/24'], pickedCount: 2 }
  t.equal(await countOthers(reach, { get }), 13)
  t.strictSame(asked, ['/users?q=192.0.2.&limit=1', '/users?q=198.51.100.&limit=1'])
})

t.test('sharing: nothing is said where nothing can be known', async t => {
  const check = async (
    places: string[], answers: Array<object | undefined> = []
  ): Promise<void> => {
    t.equal(await countOthers({ places, pickedCount: 1 }, testMonitor(answers)), undefined)
  }
  await check(['192.0.2.1'], [undefined])
  await check(['192.0.2.1'], [{ users: 'many' }])
  await check(['2001:db8::/64'])
  await check(['192.0.2.0/24', '198.51.100.0/24'], [{ matched: 1 }, undefined])
  await check(Array.from({ length: 101 }, (_, at) => `192.0.2.${at}`))
})
