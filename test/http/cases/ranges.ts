/** Ranges, RFC 9110 section 14: one range of a GET is served, everything else is as without. */
import { DIGITS } from '../known-cluster.ts'
import { answer, PAGE_PATH, type AnswerCase } from './answer-case.ts'

/** What `Range` selects of the ten digits; 'whole', or nothing (416). */
const RANGES: ReadonlyArray<[name: string, range: string, selected: string]> = [
  ['the first byte', 'bytes=0-0', '0-0'],
  ['the last byte', 'bytes=9-9', '9-9'],
  ['some in the middle', 'bytes=2-4', '2-4'],
  ['all of it', 'bytes=0-9', '0-9'],
  ['open at its end', 'bytes=7-', '7-9'],
  ['open from the start', 'bytes=0-', '0-9'],
  ['the last three', 'bytes=-3', '7-9'],
  ['the last ten', 'bytes=-10', '0-9'],
  ['more last ones than there are', 'bytes=-100', '0-9'],
  ['an end behind the file', 'bytes=8-1000', '8-9'],
  ['an end past all numbers', `bytes=8-${'9'.repeat(30)}`, '8-9'],
  ['leading zeros', 'bytes=002-0004', '2-4'],
  ['a unit in capitals', 'BYTES=2-4', '2-4'],
  ['spaces around it', 'bytes= 2-4 ', '2-4'],

  ['a start at the end', 'bytes=10-', ''],
  ['a start behind the end', 'bytes=100-200', ''],
  ['a start past all numbers', `bytes=${'9'.repeat(30)}-`, ''],
  ['the last none', 'bytes=-0', ''],

  ['two ranges', 'bytes=0-1,3-4', 'whole'],
  ['two that overlap', 'bytes=0-5, 3-9', 'whole'],
  ['a hundred', `bytes=${'0-0,'.repeat(99)}0-0`, 'whole'],
  ['on two lines', 'bytes=0-1\r\nRange: bytes=3-4', 'whole'],
  ['another unit', 'lines=1-2', 'whole'],
  ['no unit', '2-4', 'whole'],
  ['no range', 'bytes=', 'whole'],
  ['nothing', '', 'whole'],
  ['the unit alone', 'bytes', 'whole'],
  ['a hyphen alone', 'bytes=-', 'whole'],
  ['a number alone', 'bytes=2', 'whole'],
  ['an end before its start', 'bytes=4-2', 'whole'],
  ['letters', 'bytes=a-b', 'whole'],
  ['a sign', 'bytes=+2-4', 'whole'],
  ['a negative start', 'bytes=-2-4', 'whole'],
  ['hex', 'bytes=0x2-4', 'whole'],
  ['a fraction', 'bytes=2.0-4', 'whole'],
  ['three numbers', 'bytes=2-4-6', 'whole'],
  ['a space in it', 'bytes=2 - 4', 'whole'],
  ['a space before the equals sign', 'bytes =2-4', 'whole'],
  ['a colon', 'bytes:2-4', 'whole']
]

const WHOLE = {
  status: 200,
  headers: { 'content-range': null, 'accept-ranges': 'bytes', 'content-length': '10' },
  body: DIGITS
} as const

function rangeCase ([name, range, selected]: typeof RANGES[number]): AnswerCase {
  const asked = { fields: `Range: ${range}\r\n` }
  if (selected === 'whole') return answer('14.2', `${name}, whole`, { ...asked, ...WHOLE })
  if (selected === '') {
    const headers = { 'content-range': 'bytes */10' }
    return answer('15.5.17', `${name}, not there`, { ...asked, status: 416, headers })
  }
  const [first, last] = selected.split('-').map(Number) as [number, number]
  const body = DIGITS.slice(first, last + 1)
  return answer('15.3.7', name, {
    ...asked,
    status: 206,
    headers: {
      'content-range': `bytes ${selected}/10`,
      'content-length': String(body.length),
      // Section 15.3.7: what the 200 would say of the file.
      etag: 'ETAG',
      'last-modified': 'DATE',
      'cache-control': 'no-cache'
    },
    body
  })
}

/** Whether `If-Range` lets the range stand. */
const IF_RANGES: ReadonlyArray<[name: string, condition: string, isCurrent: boolean]> = [
  ['its tag', 'ETAG', true],
  ['its date', 'DATE', true],
  ['its date in the form of asctime', 'Thu Feb 29 12:00:00 2024', true],
  ['its tag, weak', 'W/ETAG', false],
  ['another tag', 'OTHER_ETAG', false],
  ['an earlier date', 'EARLIER', false],
  ['a later date', 'LATER', false],
  ['any', '*', false],
  ['a list with its tag', 'ETAG, "a"', false],
  ['its tag on two lines', 'ETAG\r\nIf-Range: ETAG', false],
  ['its date on two lines', 'DATE\r\nIf-Range: DATE', false],
  ['its tag without quotes', 'UNQUOTED', false],
  ['nothing', '', false],
  ['garbage', 'yesterday', false]
]

function ifRangeCase ([name, condition, isCurrent]: typeof IF_RANGES[number]): AnswerCase {
  const fields = `Range: bytes=2-4\r\nIf-Range: ${condition}\r\n`
  return answer('13.1.5', `If-Range: ${name}`, isCurrent
    ? { fields, status: 206, headers: { 'content-range': 'bytes 2-4/10', etag: 'ETAG' }, body: '234' }
    : { fields, ...WHOLE })
}

export const RANGE_CASES: readonly AnswerCase[] = [
  ...RANGES.map(rangeCase),
  ...IF_RANGES.map(ifRangeCase),
  answer('14.3', 'a file says that ranges are served', { status: 200, headers: { 'accept-ranges': 'bytes' } }),
  answer('14.2', 'HEAD has no ranges', { method: 'HEAD', fields: 'Range: bytes=2-4\r\n', ...WHOLE, body: '' }),
  answer('14.2', 'HEAD has no ranges that are not there', { method: 'HEAD', fields: 'Range: bytes=100-\r\n', ...WHOLE, body: '' }),
  answer('13.1.5', 'If-Range without a range', { fields: 'If-Range: "a"\r\n', ...WHOLE }),
  answer('13.1.5', 'a range that is not there, of another file', { fields: 'Range: bytes=100-\r\nIf-Range: "a"\r\n', ...WHOLE }),
  answer('13.2.2', 'If-None-Match goes before a range', { fields: 'Range: bytes=2-4\r\nIf-None-Match: ETAG\r\n', status: 304, body: '' }),
  answer('13.2.2', 'If-Match goes before a range', { fields: 'Range: bytes=2-4\r\nIf-Match: "a"\r\n', status: 412 }),
  answer('13.2.2', 'If-Match goes before a range that is not there', { fields: 'Range: bytes=100-\r\nIf-Match: "a"\r\n', status: 412 }),
  answer('13.2.2', 'If-Match that fits, and a range', { fields: 'Range: bytes=2-4\r\nIf-Match: ETAG\r\n', status: 206, body: '234' }),
  answer('14.1.2', 'no range of nothing', { path: '/empty.bin', fields: 'Range: bytes=0-\r\n', status: 416, headers: { 'content-range': 'bytes */0' } }),
  answer('14.1.2', 'the last ones of nothing are nothing', { path: '/empty.bin', fields: 'Range: bytes=-5\r\n', status: 200, body: '' }),
  answer('14.2', 'what is not there has no ranges', { path: '/nothing', fields: 'Range: bytes=0-1\r\n', status: 404, headers: { 'content-range': null } }),
  answer('14.2', 'a range of the coding that is sent', {
    path: PAGE_PATH,
    fields: 'Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n',
    status: 206,
    headers: { 'content-encoding': 'gzip', etag: 'GZIP_ETAG', vary: 'Accept-Encoding', 'content-range': /^bytes 0-1\/\d+$/ },
    body: '\x1f\x8b'
  }),
  answer('13.1.5', 'the tag of another coding', {
    path: PAGE_PATH, fields: 'Accept-Encoding: gzip\r\nRange: bytes=0-1\r\nIf-Range: ETAG\r\n', status: 200, headers: { etag: 'GZIP_ETAG' }
  }),
  answer('14.2', 'the router\'s redirect has no ranges', { on: 'router', path: '/', fields: 'Range: bytes=0-1\r\n', status: 302, headers: { 'content-range': null } }),
  answer('14.2', 'a file of the monitor has ranges', {
    on: 'monitor', path: '/usher.css', fields: 'Range: bytes=0-1\r\n', status: 206, headers: { 'content-length': '2', 'content-range': /^bytes 0-1\/\d+$/ }
  }),
  answer('14.2', 'a file of the monitor ends too', { on: 'monitor', path: '/usher.css', fields: 'Range: bytes=9999999-\r\n', status: 416 }),
  answer('14.2', 'data of the monitor has no ranges', { on: 'monitor', path: '/healthz', fields: 'Range: bytes=0-1\r\n', status: 200, headers: { 'content-range': null } })
]
