import t from 'tap'
import { formatClient, UNKNOWN_ADDRESS } from '@usher/shared/client.ts'
import { HttpRequest } from '@usher/shared/http/vocabulary/http-request.ts'
import { NO_BODY, type RequestFields } from '@usher/shared/http/vocabulary/values.ts'

const ID = '6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61'
const SOURCE = { address: UNKNOWN_ADDRESS, authority: undefined, isSecure: false }

/** A request, and how often its cookie was looked at. */
function watched (cookie: string | undefined) {
  const looks = { count: 0 }
  const headers: RequestFields = {
    get cookie () {
      looks.count++
      return cookie
    }
  }
  return { looks, request: new HttpRequest('GET', '/', '', headers, NO_BODY, SOURCE) }
}

t.test('request: says whom its cookie names, and looks once, also when that is nobody', async t => {
  for (const [cookie, expected] of [[`client_id=${ID}`, ID], ['a=b', undefined], [undefined, undefined]]) {
    const { looks, request } = watched(cookie)
    t.equal(looks.count, 0, 'not before it is asked for')
    const client = request.cookieClient
    t.equal(client && formatClient(client), expected)
    t.equal(request.cookieClient, client)
    t.equal(looks.count, 1)
  }
})

t.test('request: says what it does to the count, the same whenever it is asked', async t => {
  const request = (method: string, path: string): HttpRequest =>
    new HttpRequest(method, path, '', {}, NO_BODY, SOURCE)
  for (const [asked, expected] of [
    [request('GET', '/'), 'adds'], [request('GET', '/a.css'), 'refreshes'], [request('HEAD', '/'), 'none']
  ] as const) {
    t.equal(asked.countEffect, expected)
    t.equal(asked.countEffect, expected)
  }
})
