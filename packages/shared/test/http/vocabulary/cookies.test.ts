/** Cookies of a request by name. */
import t from 'tap'
import { cookieValues } from '../../../src/http/vocabulary/cookies.ts'

t.test('cookies: every value under a name, and of no other name', async t => {
  const cases: Array<[cookie: string | undefined, values: readonly string[]]> = [
    [undefined, []],
    ['', []],
    ['a=1', ['1']],
    ['a=1; b=2; a=3', ['1', '3']],
    ['ba=1; a =2;a=', ['2', '']],
    ['a', []],
    ['b=a=1', []],
    ['a=b=c', ['b=c']]
  ]
  for (const [cookie, values] of cases) {
    t.strictSame(cookieValues(cookie === undefined ? {} : { cookie }, 'a'), values, String(cookie))
  }
})
