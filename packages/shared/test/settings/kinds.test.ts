import t, { type Test } from 'tap'
import * as kinds from '@usher/shared/settings/kinds.ts'
import type { Kind } from '@usher/shared/settings/kinds.ts'
import { origin } from '@usher/shared/settings/server-kinds.ts'

/** Each text with the value that it stands for, or REFUSED. */
type Cases = ReadonlyArray<readonly [text: string, expected: unknown]>

const REFUSED = Symbol('refused')
const label63 = 'a'.repeat(63)
const name253 = `${`${label63}.`.repeat(3)}${'a'.repeat(61)}`

/** Forms of numbers that no numeric kind takes. */
const NO_NUMBERS: Cases = [
  '', ' ', ' 5', '5 ', '5\n', '1e1', '0x10', '0b1', '1_0', '+5', '-5', '.5', '5.', '5.5.5', '5,5',
  'NaN', 'Infinity', 'five', '٥'
].map(text => [text, REFUSED])

t.test('setting-kinds: a decimal is plain and in range', async t => {
  check(t, kinds.decimal(0.5, 20, 'beats'), [
    ['0.5', 0.5], ['0.49', REFUSED], ['20', 20], ['20.0', 20], ['20.1', REFUSED], ['007', 7],
    ['9'.repeat(400), REFUSED], ...NO_NUMBERS
  ])
})

t.test('setting-kinds: a whole number has no fraction', async t => {
  check(t, kinds.wholeNumber(5, 20, 'users'), [
    ['5', 5], ['4', REFUSED], ['20', 20], ['21', REFUSED], ['6.0', REFUSED],
    ...NO_NUMBERS
  ])
})

t.test('setting-kinds: seconds are kept in whole milliseconds', async t => {
  check(t, kinds.seconds(0.1, 300), [
    ['0.1', 100], ['0.0999', REFUSED], ['300', 300_000], ['300.001', REFUSED], ['2.3', 2300],
    ['1.0006', 1001], ...NO_NUMBERS
  ])
  t.equal(kinds.seconds(0, 9).format(350), '0.35')
})

t.test('setting-kinds: sizes are kept in bytes, and written as people do', async t => {
  const size = kinds.bytes(0, 3 * 2 ** 30)
  check(t, size, [
    ['0', 0], ['1', 1], ['1KiB', 1024], ['3GiB', 3 * 2 ** 30], ['3145729KiB', REFUSED], ['1kib', REFUSED],
    ['1 KiB', REFUSED], ['1K', REFUSED], ['KiB', REFUSED], ['0x10', REFUSED], ...NO_NUMBERS
  ])
  t.same([0, 1, 1023, 1024, 1536, 2 ** 20, 2 ** 31].map(value => size.format(value)),
    ['0', '1', '1023', '1KiB', '1536', '1MiB', '2GiB'])
})

t.test('setting-kinds: a port is 0 to 65535', async t => {
  check(t, kinds.port(), [
    ['0', 0], ['65535', 65535], ['65536', REFUSED], ['80.5', REFUSED], ...NO_NUMBERS
  ])
})

t.test('setting-kinds: one of some words, exactly', async t => {
  check(t, kinds.oneOf('info', 'warn'), [
    ['info', 'info'], ['warn', 'warn'], ['WARN', REFUSED], ['', REFUSED], ['info,warn', REFUSED]
  ])
})

t.test('setting-kinds: a host to bind is an address or a name', async t => {
  check(t, kinds.bindHost(), [
    ['::', '::'], ['0.0.0.0', '0.0.0.0'], ['fe80::1%eth0', 'fe80::1%eth0'],
    ['localhost', 'localhost'], ['my_service', 'my_service'], ['a-b.example', 'a-b.example'],
    [name253, name253], [`${name253}a`, REFUSED], [`${label63}a`, REFUSED],
    ['', REFUSED], [' ', REFUSED], ['[::1]', REFUSED], ['localhost:80', REFUSED],
    ['256.1.1.1', REFUSED], ['127.1', REFUSED], ['8080', REFUSED], ['a.0x1f', REFUSED],
    ['-a', REFUSED], ['a-', REFUSED], ['a..b', REFUSED], ['.a', REFUSED], ['a/b', REFUSED]
  ])
})

t.test('setting-kinds: an address for URLs has no zone, brackets or port', async t => {
  check(t, kinds.urlAddress(), [
    ['192.0.2.1', '192.0.2.1'], ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', REFUSED], ['[::1]', REFUSED], ['192.0.2.1:80', REFUSED],
    ['localhost', REFUSED], ['192.0.2', REFUSED], ['010.0.0.1', REFUSED], ['', REFUSED]
  ])
})

t.test('setting-kinds: a public host is lower-case, as browsers send it', async t => {
  check(t, kinds.publicHost(), [
    ['Example.COM', 'example.com'], ['bücher.example', 'xn--bcher-kva.example'],
    ['192.0.2.1', '192.0.2.1'],
    ['http://example.com', REFUSED], ['example.com:80', REFUSED], ['example.com/', REFUSED],
    ['*.example.com', REFUSED], ['a b', REFUSED], ['ü b', REFUSED], ['', REFUSED]
  ])
})

t.test('setting-kinds: a base URL stands as it is, but for slashes at its end', async t => {
  check(t, kinds.baseUrl(), [
    ['http://a', 'http://a'], ['https://a.example:8443/x/', 'https://a.example:8443/x'],
    ['http://[::1]:80//', 'http://[::1]:80'], ['HTTP://A/%20', 'HTTP://A/%20'],
    ['', REFUSED], ['a.example', REFUSED], ['ftp://a', REFUSED], ['http:/a', REFUSED],
    ['http:///a', REFUSED], ['http://', REFUSED], ['http://:80', REFUSED],
    ['http://a:65536', REFUSED], ['http://a/?', REFUSED], ['http://a/?b', REFUSED],
    ['http://a/#', REFUSED], ['http://u@a', REFUSED], ['http://u:p@a', REFUSED],
    ['http://@a', REFUSED], ['http://a/ü', REFUSED], ['http://a/ b', REFUSED],
    ['http://a\\b', REFUSED], ['http://a\r\nX: y', REFUSED], ['http://a\n', REFUSED]
  ])
})

t.test('setting-kinds: an address or a range, never everybody', async t => {
  check(t, kinds.addressOrRange(), [
    ['10.0.0.1', '10.0.0.1'], ['::1', '::1'], ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.0/1', '10.0.0.0/1'], ['10.0.0.0/0', REFUSED],
    ['10.0.0.0/32', '10.0.0.0/32'], ['10.0.0.0/33', REFUSED],
    ['2001:db8::/128', '2001:db8::/128'], ['2001:db8::/129', REFUSED],
    ['10.0.0.0/', REFUSED], ['10.0.0.0/8/8', REFUSED], ['10.0.0.0/+8', REFUSED],
    ['10.0.0.0/255.0.0.0', REFUSED], ['10/8', REFUSED], ['fe80::1%eth0', REFUSED],
    ['fe80::%1/64', REFUSED], ['loopback', REFUSED], ['', REFUSED]
  ])
})

t.test('setting-kinds: a path is not empty; a file does not end in a slash', async t => {
  check(t, kinds.folderPath(), [
    ['html', 'html'], ['a b/', 'a b/'], ['', REFUSED], ['a\0b', REFUSED], ['a\nb', REFUSED]
  ])
  check(t, kinds.filePath(), [
    ['db/x.db', 'db/x.db'], ['-', '-'], ['db/', REFUSED], ['', REFUSED], ['a\0b', REFUSED]
  ])
  check(t, kinds.filePathOrNone(), [['-', undefined], ['a.log', 'a.log'], ['a/', REFUSED]])
})

t.test('setting-kinds: a file or none is written as it is given', async t => {
  const kind = kinds.filePathOrNone()
  t.equal(kind.format(undefined), '-')
  t.equal(kind.format('a.log'), 'a.log')
})

t.test('setting-kinds: a token is long enough and visible', async t => {
  check(t, kinds.token(4), [
    ['abc~', 'abc~'], ['!abc', '!abc'], ['abc', REFUSED], ['ab cd', REFUSED], ['abcü', REFUSED],
    ['abcd\n', REFUSED]
  ])
})

t.test('setting-kinds: a password is one that an account may have', async t => {
  check(t, kinds.password('anna'), [
    ['Pass wörter!', 'Pass wörter!'], ['Pass wörter', REFUSED], ['🙂'.repeat(12), '🙂'.repeat(12)],
    ['🙂'.repeat(11), REFUSED], ['annaAnnaANNA', REFUSED], ['1qaz2wsx3edc', REFUSED],
    ['admin-2026-admin', REFUSED]
  ])
})

t.test('setting-kinds: optional takes empty text too', async t => {
  const kind = kinds.optional(kinds.urlAddress())
  check(t, kind, [['', ''], ['::1', '::1'], ['x', REFUSED]])
  t.equal(kind.format(''), '')
  t.equal(kind.allowed, `${kinds.urlAddress().allowed}, or empty`)
})

t.test('setting-kinds: a list has commas, blanks round them, and no more than its bounds', async t => {
  const kind = kinds.list(kinds.port(), 1, 3)
  check(t, kind, [
    ['1', [1]], ['1,2,3', [1, 2, 3]], ['1 , 2,\t3', [1, 2, 3]], ['1,2,3,4', REFUSED],
    ['', REFUSED], ['1,', REFUSED], [',1', REFUSED], ['1,,2', REFUSED], [' 1', REFUSED],
    ['1,x', REFUSED], ['1;2', REFUSED]
  ])
  check(t, kinds.list(kinds.port(), 0, 3), [['', []], ['1', [1]], [',', REFUSED]])
  t.equal(kind.format([1, 2]), '1,2')
})

t.test('setting-kinds: a refused list says which entry, or how many there are', async t => {
  const ranges = kinds.list(kinds.addressOrRange(), 1, 2)
  const cases: ReadonlyArray<[string, string]> = [
    ['::1,x', 'entry "x" is wrong'],
    ['::1/129,x', 'entry "::1/129" is wrong, a range has 1 to 128 bits'],
    ['::1,::1,::1', 'these are 3']
  ]
  for (const [text, refusal] of cases) t.same(ranges.parse(text), { refusal }, text)
})

function check<T> (t: Test, kind: Kind<T>, cases: Cases): void {
  for (const [text, expected] of cases) {
    const parsed = kind.parse(text)
    const outcome = parsed.refusal === undefined ? parsed.value : REFUSED
    t.strictSame(outcome, expected, JSON.stringify(text))
  }
}

t.test('setting-kinds: an origin that is wrong is told what was meant', async t => {
  const cases: ReadonlyArray<[text: string, refusal: string]> = [
    ['shop.example', 'it does not begin with http:// or https://; did you mean https://shop.example'],
    ['shop.example:8443', 'it does not begin with http:// or https://; did you mean https://shop.example:8443'],
    ['https://Shop.example/a/b', 'it has a path; did you mean https://shop.example'],
    ['https://*.example', 'name each site whose pages may beat'],
    ['ftp://shop.example', 'it does not begin with http:// or https://']
  ]
  for (const [text, refusal] of cases) t.strictSame(origin().parse(text), { refusal }, text)
})
