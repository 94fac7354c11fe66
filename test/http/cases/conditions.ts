/** Conditional requests, RFC 9110 section 13, on every port. */
import { DIGITS } from '../known-cluster.ts'
import { answer, PAGE_PATH, type AnswerCase } from './answer-case.ts'

/** [fields, status] of a GET of the digits: the answer is whole, 304 or 412. */
type Row = readonly [rfc: string, name: string, fields: string, status: 200 | 304 | 412]

const OLD_FORM = 'Thursday, 29-Feb-24 12:00:00 GMT'
const OLDEST_FORM = 'Thu Feb 29 12:00:00 2024'

const ROWS: readonly Row[] = [
  ['13.1.2', 'the tag that it has', 'If-None-Match: ETAG\r\n', 304],
  ['13.1.2', 'its tag, weak', 'If-None-Match: W/ETAG\r\n', 304],
  ['13.1.2', 'any', 'If-None-Match: *\r\n', 304],
  ['13.1.2', 'its tag in a list', 'If-None-Match: "a", W/"b", ETAG\r\n', 304],
  ['13.1.2', 'its tag in a list without spaces', 'If-None-Match: "a",ETAG,"b"\r\n', 304],
  ['13.1.2', 'its tag in a list with empty members', 'If-None-Match: , ,"a",, ETAG ,\r\n', 304],
  ['13.1.2', 'its tag on a line of its own', 'If-None-Match: "a"\r\nIf-None-Match: ETAG\r\n', 304],
  ['13.1.2', 'another tag', 'If-None-Match: OTHER_ETAG\r\n', 200],
  ['13.1.2', 'a list of other tags', 'If-None-Match: "a", "b,c", W/"d"\r\n', 200],
  ['13.1.2', 'an empty tag', 'If-None-Match: ""\r\n', 200],
  ['13.1.2', 'no tag', 'If-None-Match:\r\n', 200],
  ['13.1.2', 'its tag without quotes', 'If-None-Match: UNQUOTED\r\n', 200],
  ['13.1.2', 'half of its quotes', 'If-None-Match: "UNQUOTED\r\n', 200],
  ['13.1.2', 'its tag within another', 'If-None-Match: "xUNQUOTED"\r\n', 200],
  ['13.1.2', 'its tag, weak in small letters', 'If-None-Match: w/ETAG\r\n', 200],
  ['13.1.2', 'an asterisk in quotes', 'If-None-Match: "*"\r\n', 200],
  ['13.1.2', 'an asterisk in a list', 'If-None-Match: *, "a"\r\n', 200],
  ['13.1.2', 'garbage', 'If-None-Match: <>;\\\r\n', 200],

  ['13.1.1', 'the tag that it has', 'If-Match: ETAG\r\n', 200],
  ['13.1.1', 'any', 'If-Match: *\r\n', 200],
  ['13.1.1', 'its tag in a list', 'If-Match: "a", ETAG\r\n', 200],
  ['13.1.1', 'another tag', 'If-Match: OTHER_ETAG\r\n', 412],
  ['13.1.1', 'its tag, weak, which is not enough', 'If-Match: W/ETAG\r\n', 412],
  ['13.1.1', 'a list of other tags', 'If-Match: "a", "b"\r\n', 412],
  ['13.1.1', 'no tag', 'If-Match:\r\n', 412],
  ['13.1.1', 'garbage', 'If-Match: a, b\r\n', 412],

  ['13.1.3', 'its date', 'If-Modified-Since: DATE\r\n', 304],
  ['13.1.3', 'a later date', 'If-Modified-Since: LATER\r\n', 304],
  ['13.1.3', 'a date in the future', 'If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n', 304],
  ['13.1.3', 'an earlier date', 'If-Modified-Since: EARLIER\r\n', 200],
  ['13.1.3', 'its date in the form of RFC 850', `If-Modified-Since: ${OLD_FORM}\r\n`, 304],
  ['13.1.3', 'its date in the form of asctime', `If-Modified-Since: ${OLDEST_FORM}\r\n`, 304],
  ['13.1.3', 'no date', 'If-Modified-Since:\r\n', 200],
  ['13.1.3', 'a year', 'If-Modified-Since: 2100\r\n', 200],
  ['13.1.3', 'a date of ISO 8601', 'If-Modified-Since: 2100-01-01T00:00:00Z\r\n', 200],
  ['13.1.3', 'a date that is none', 'If-Modified-Since: Sun, 30 Feb 2100 00:00:00 GMT\r\n', 200],
  ['13.1.3', 'a date in another zone', 'If-Modified-Since: Fri, 31 Dec 2100 23:59:59 CET\r\n', 200],
  ['13.1.3', 'a date and a length, of another age', 'If-Modified-Since: DATE; length=10\r\n', 200],
  ['13.1.3', 'a number', 'If-Modified-Since: 0\r\n', 200],
  ['13.1.3', 'its tag', 'If-Modified-Since: ETAG\r\n', 200],
  ['13.1.3', 'its date on two lines', 'If-Modified-Since: DATE\r\nIf-Modified-Since: DATE\r\n', 200],
  ['13.1.3', 'its date, and an earlier one', 'If-Modified-Since: DATE\r\nIf-Modified-Since: EARLIER\r\n', 200],
  ['13.1.3', 'its date, and an empty line of it', 'If-Modified-Since: DATE\r\nif-modified-since:\r\n', 200],
  ['13.1.3', 'its date behind an empty line of it', 'If-Modified-Since:\r\nIf-Modified-Since: DATE\r\n', 200],
  ['13.1.3', 'its date in the form of asctime on two lines', `If-Modified-Since: ${OLDEST_FORM}\r\nIf-Modified-Since: ${OLDEST_FORM}\r\n`, 200],

  ['13.1.4', 'its date', 'If-Unmodified-Since: DATE\r\n', 200],
  ['13.1.4', 'a later date', 'If-Unmodified-Since: LATER\r\n', 200],
  ['13.1.4', 'an earlier date', 'If-Unmodified-Since: EARLIER\r\n', 412],
  ['13.1.4', 'a date that is none', 'If-Unmodified-Since: yesterday\r\n', 200],
  ['13.1.4', 'its date in the form of RFC 850', `If-Unmodified-Since: ${OLD_FORM}\r\n`, 200],
  ['13.1.4', 'two earlier dates', 'If-Unmodified-Since: EARLIER\r\nIf-Unmodified-Since: EARLIER\r\n', 200],
  ['13.1.4', 'an earlier date and its own', 'If-Unmodified-Since: EARLIER\r\nIf-Unmodified-Since: DATE\r\n', 200],
  ['13.1.4', 'an earlier date and an empty line of it', 'If-Unmodified-Since: EARLIER\r\nIf-Unmodified-Since:\r\n', 200],

  ['13.2.2', 'a tag goes before a date, the tag fits', 'If-None-Match: ETAG\r\nIf-Modified-Since: EARLIER\r\n', 304],
  ['13.2.2', 'a tag goes before a date, the date fits', 'If-None-Match: OTHER_ETAG\r\nIf-Modified-Since: DATE\r\n', 200],
  ['13.2.2', 'a malformed tag goes before a date too', 'If-None-Match: x\r\nIf-Modified-Since: DATE\r\n', 200],
  ['13.2.2', 'If-Match goes before If-Unmodified-Since', 'If-Match: ETAG\r\nIf-Unmodified-Since: EARLIER\r\n', 200],
  ['13.2.2', 'If-Match fails, whatever the date', 'If-Match: "a"\r\nIf-Unmodified-Since: LATER\r\n', 412],
  ['13.2.2', 'If-Match goes before If-None-Match', 'If-Match: "a"\r\nIf-None-Match: ETAG\r\n', 412],
  ['13.2.2', 'If-Match and If-None-Match both fit', 'If-Match: ETAG\r\nIf-None-Match: ETAG\r\n', 304],
  ['13.2.2', 'If-Unmodified-Since goes before If-None-Match', 'If-Unmodified-Since: EARLIER\r\nIf-None-Match: ETAG\r\n', 412],
  ['13.2.2', 'both dates fit', 'If-Unmodified-Since: DATE\r\nIf-Modified-Since: DATE\r\n', 304]
]

const OF_A_FILE = ROWS.map(([rfc, name, fields, status]) =>
  answer(rfc, `${fields.slice(0, fields.indexOf(':'))}: ${name}`, {
    fields,
    status,
    // Section 15.4.5: what a 304 repeats; section 8.6: no length but that of the file.
    headers: status === 304
      ? { etag: 'ETAG', 'cache-control': 'no-cache', 'content-type': null, 'content-length': null }
      : status === 200 ? { etag: 'ETAG', 'last-modified': 'DATE', 'content-length': '10' } : { etag: null },
    ...status === 412 ? {} : { body: status === 200 ? DIGITS : '' }
  }))

const ALL_THAT_COULD_FAIL = 'If-Match: "a"\r\nIf-Unmodified-Since: EARLIER\r\n'

export const CONDITIONS: readonly AnswerCase[] = [
  ...OF_A_FILE,
  answer('15.4.5', 'a 304 says on what the page depends', {
    path: PAGE_PATH, fields: 'If-None-Match: ETAG\r\n', status: 304, headers: { vary: 'Accept-Encoding', etag: 'ETAG' }
  }),
  answer('13.1.2', 'the tag of the coding that is asked for', {
    path: PAGE_PATH,
    fields: 'Accept-Encoding: gzip\r\nIf-None-Match: GZIP_ETAG\r\n',
    status: 304,
    headers: { vary: 'Accept-Encoding', etag: 'GZIP_ETAG', 'content-encoding': null }
  }),
  answer('13.1.2', 'the tag of another coding', {
    path: PAGE_PATH, fields: 'Accept-Encoding: gzip\r\nIf-None-Match: BR_ETAG\r\n', status: 200, headers: { etag: 'GZIP_ETAG' }
  }),
  answer('13.1.1', 'the tag of another coding does not match', {
    path: PAGE_PATH, fields: 'Accept-Encoding: br\r\nIf-Match: ETAG\r\n', status: 412
  }),
  answer('13.2.1', 'what is not there has no conditions', { path: '/nothing', fields: ALL_THAT_COULD_FAIL, status: 404 }),
  answer('13.2.1', 'nor does it exist for If-None-Match', { path: '/nothing', fields: 'If-None-Match: *\r\n', status: 404 }),
  answer('13.2.1', 'a redirect has no conditions', { path: '/folder', fields: ALL_THAT_COULD_FAIL, status: 301 }),
  answer('13.2.1', 'a method that is refused has none', { method: 'POST', fields: ALL_THAT_COULD_FAIL, status: 405 }),
  answer('13.2.1', 'a method that is refused is not refused by them', { method: 'DELETE', fields: 'If-None-Match: *\r\n', status: 405 }),
  answer('13.1.2', 'the page script has a tag', { path: '/usher.js', fields: 'If-None-Match: ETAG\r\n', status: 304 }),
  answer('13.1.3', 'the page script has no date', { path: '/usher.js', fields: 'If-Modified-Since: LATER\r\n', status: 200 }),

  answer('13.1.2', 'the router\'s page script has a tag', { on: 'router', path: '/usher.js', fields: 'If-None-Match: ETAG\r\n', status: 304, headers: { vary: 'Accept-Encoding, Origin' } }),
  answer('13.1.1', 'the router\'s page script, by another tag', { on: 'router', path: '/usher.js', fields: 'If-Match: "a"\r\n', status: 412 }),
  answer('13.2.1', 'the router\'s redirect has no conditions', { on: 'router', path: '/', fields: ALL_THAT_COULD_FAIL, status: 302 }),
  answer('13.2.1', 'nor is it 304', { on: 'router', path: '/', fields: 'If-None-Match: *\r\nIf-Modified-Since: LATER\r\n', status: 302 }),

  answer('13.1.2', 'a file of the monitor, by its tag', {
    on: 'monitor', path: '/usher.css', fields: 'If-None-Match: ETAG\r\n', status: 304, headers: { vary: 'Accept-Encoding' }, body: ''
  }),
  answer('13.1.1', 'a file of the monitor, by another tag', { on: 'monitor', path: '/usher.css', fields: 'If-Match: "a"\r\n', status: 412 }),
  answer('13.1.1', 'a file of the monitor that must be this one', { on: 'monitor', path: '/usher.css', fields: 'If-Match: ETAG\r\n', status: 200 }),
  answer('13.1.3', 'a file of the monitor, by a later date', { on: 'monitor', path: '/usher.css', fields: 'If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n', status: 304 }),
  answer('13.1.2', 'a page without a tag is there', {
    on: 'monitor', path: '/login.html', fields: 'If-None-Match: *\r\n', status: 304, headers: { 'content-type': null, 'content-length': null }, body: ''
  }),
  answer('13.1.2', 'a page without a tag matches none', { on: 'monitor', path: '/login.html', fields: 'If-None-Match: "a"\r\n', status: 200 }),
  answer('13.1.1', 'a page without a tag fails for any', { on: 'monitor', path: '/login.html', fields: 'If-Match: "a"\r\n', status: 412 }),
  answer('13.1.1', 'a page without a tag is there for If-Match', { on: 'monitor', path: '/login.html', fields: 'If-Match: *\r\n', status: 200 }),
  answer('13.1.3', 'a page without a date ignores dates', { on: 'monitor', path: '/login.html', fields: 'If-Modified-Since: LATER\r\nIf-Unmodified-Since: EARLIER\r\n', status: 200 }),
  answer('13.1.2', 'data is there', { on: 'monitor', path: '/healthz', fields: 'If-None-Match: *\r\n', status: 304, body: '' }),
  answer('13.2.1', 'who is not logged in has no conditions', { on: 'monitor', path: '/stats', fields: 'If-None-Match: *\r\nIf-Match: "a"\r\n', status: 401 }),
  answer('13.2.1', 'a page that leads to the login has none', { on: 'monitor', path: '/', fields: ALL_THAT_COULD_FAIL, status: 302 })
]
