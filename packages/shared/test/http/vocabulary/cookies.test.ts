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
    ['a=b=c', ['b=c']],
    // In quotes (RFC 2109 and 2965): java.net.HttpCookie, http.cookiejar, older Tomcat clients.
    ['a="1"', ['1']],
    ['$Version=1; a="1"; $Path="/"; b="2"', ['1']],
    ['$Version="1"; b="2"; a="1";$Path="/";$Domain="example.org"', ['1']],
    ['$a=1', []],
    ['a="1', ['"1']],
    ['a=1"', ['1"']],
    ['a="', ['"']],
    ['a=""', ['']],
    ['a=""1""', ['"1"']],
    // Duplicates: of a longer path first (RFC 6265 section 5.4), of an equal one in either order.
    ['a=1; a="2"; a=1', ['1', '2', '1']],
    // Cookie fields that HTTP/2 splits are joined again (RFC 9113 section 8.2.3).
    ['b=2; a=1', ['1']],
    // No blank after the semicolon, blanks around the sign, one semicolon too many.
    ['b=2;a=1;', ['1']],
    ['b=2 ; a = 1 ;;', ['1']]
  ]
  for (const [cookie, values] of cases) {
    t.strictSame(cookieValues(cookie === undefined ? {} : { cookie }, 'a'), values, String(cookie))
  }
})
