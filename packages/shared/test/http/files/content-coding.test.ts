import t from 'tap'
import { codingChooser } from '../../../src/http/files/content-coding.ts'

t.test('content coding: the wishes of a client, best first', async t => {
  const chooseCodings = codingChooser()
  const cases: ReadonlyArray<[header: string | undefined, expected: string]> = [
    [undefined, 'identity'],
    ['', 'identity'],
    ['identity', 'identity'],
    ['gzip, deflate, br, zstd', 'br zstd gzip identity'],
    ['zstd;q=1, br;q=0.9', 'zstd br identity'],
    ['zstd', 'zstd identity'],
    ['gzip', 'gzip identity'],
    ['GZIP', 'gzip identity'],
    ['br', 'br identity'],
    ['x-gzip', 'gzip identity'],
    ['br;q=0.5,X-Gzip;Q=0.6', 'gzip br identity'],
    ['x-gzips, ax-gzip, x-compress', 'identity'],
    ['gzip;Q=0', 'identity'],
    ['deflate', 'identity'],
    ['*', 'br zstd gzip identity'],
    ['gzip;q=1, br;q=0.9', 'gzip br identity'],
    ['br;q=0.2, gzip;q=0.2', 'br gzip identity'],
    ['br;q=0, gzip', 'gzip identity'],
    ['br;q=0, *', 'zstd gzip identity'],
    ['*;q=0, gzip', 'gzip identity'],
    ['gzip;q=0.5, identity', 'identity gzip'],
    ['gzip;q=0', 'identity'],
    ['identity;q=0', 'identity'],
    ['*;q=0', 'identity'],
    ['gzip, identity;q=0', 'gzip identity'],
    ['gzip;q=nonsense', 'identity'],
    [';;;,,,=', 'identity']
  ]
  for (const [header, expected] of cases) {
    t.equal(chooseCodings(header).join(' '), expected, String(header))
    t.equal(chooseCodings(header).join(' '), expected, `${header}, from the cache`)
  }
})

t.test('content coding: the cache is bounded in number and length', async t => {
  const chooseCodings = codingChooser()
  const first = chooseCodings('gzip')
  t.equal(chooseCodings('gzip'), first, 'kept')
  for (let count = 1; count < 64; count++) chooseCodings(`gzip;q=0.${count}`)
  t.equal(chooseCodings('gzip'), first, 'kept while it fits')
  chooseCodings('br')
  t.not(chooseCodings('gzip'), first, 'made anew after one more than fits')
  const long = `gzip${' '.repeat(125)}`
  t.not(chooseCodings(long), chooseCodings(long), 'long ones are not kept')
  t.strictSame(chooseCodings(long), ['gzip', 'identity'])
})
