/** How many others a denial would reach. */
import t from 'tap'
import type { Answer } from '../../../monitor-script/kit/api.ts'
import { countOthers, findReach } from '../../../monitor-script/actions/sharing.ts'

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

t.test('sharing: ranges are asked for one by one, and added to what shares addresses', async t => {
  const { asked, get } = testMonitor([{ users: 7 }, { users: 10 }, { users: 5 }])
  const reach = { places: ['192.0.2.0/24', '198.51.100.9', '2001:db8::/64'], pickedCount: 2 }
  t.equal(await countOthers(reach, { get }), 20)
  t.strictSame(asked, [
    '/users/sharing?address=198.51.100.9', '/users/reach?address=192.0.2.0%2F24',
    '/users/reach?address=2001%3Adb8%3A%3A%2F64'
  ])
})

t.test('sharing: what would be denied, and how many come from there', async t => {
  const body = { address: '2001:db8::/64', users: 3 }
  const { asked, get } = testMonitor([body, undefined])
  t.strictSame(await findReach('2001:db8::1', { get: get as never }), body)
  t.strictSame(asked, ['/users/reach?address=2001%3Adb8%3A%3A1'])
  t.equal(await findReach('nonsense', { get: get as never }), undefined)
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
  await check(['192.0.2.0/24', '198.51.100.0/24'], [{ users: 1 }, undefined])
  await check(Array.from({ length: 11 }, (_, at) => `192.0.${at}.0/24`))
  await check(Array.from({ length: 101 }, (_, at) => `192.0.2.${at}`))
})
