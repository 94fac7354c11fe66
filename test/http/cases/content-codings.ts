/** Accept-Encoding, RFC 9110 section 12.5.3: which coding a page comes in, and that it says so. */
import zlib from 'node:zlib'
import { answer, PAGE_PATH, type AnswerCase } from './answer-case.ts'

type Coding = 'br' | 'zstd' | 'gzip' | 'identity'

/** From Node 22.15 on. */
const HAS_ZSTD = 'zstdCompressSync' in zlib

const WISHES: ReadonlyArray<[accept: string, coding: Coding]> = [
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['br', 'br'],
  ['x-gzip', 'gzip'],
  ['X-GZIP', 'gzip'],
  ['deflate,x-gzip;q=0.5', 'gzip'],
  ['x-gzip ; q=0.5, br ; q=0.4', 'gzip'],
  ['x-gzip;q=0', 'identity'],
  ['x-gzip;q=0, *', 'br'],
  ['x-gzip, br', 'br'],
  ['x-compress', 'identity'],
  ['gzip;Q=0', 'identity'],
  ['GZIP;Q=0.5, BR;Q=0.4', 'gzip'],
  ['*', 'br'],
  ['gzip;q=1.0, br;q=0.5', 'gzip'],
  ['gzip; q=0.5 , br; q=0.1', 'gzip'],
  ['br;q=0.001, gzip;q=0.002', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0.0, *', HAS_ZSTD ? 'zstd' : 'gzip'],
  ['br;q=0.1, zstd', HAS_ZSTD ? 'zstd' : 'br'],
  ['gzip;q=0', 'identity'],
  ['gzip;q=0.000, br;q=0', 'identity'],
  ['*;q=0, gzip;q=0.1', 'gzip'],
  ['identity', 'identity'],
  ['identity;q=1, gzip;q=0.5', 'identity'],
  ['identity;q=0.5, gzip;q=1', 'gzip'],
  ['deflate', 'identity'],
  ['compress, zstd', HAS_ZSTD ? 'zstd' : 'identity'],
  ['', 'identity'],
  [' , ,gzip, ', 'gzip'],
  ['gzip\r\nAccept-Encoding: br', 'br'],
  // Nothing is acceptable: the plain page is of more use than 406, as the section allows.
  ['identity;q=0', 'identity'],
  ['*;q=0', 'identity'],
  ['xgzip', 'identity'],
  ['gzipx', 'identity'],
  ['x-gzipx', 'identity'],
  ['xx-gzip', 'identity'],
  ['x-gzip-x', 'identity'],
  ['gzip;q=x', 'identity'],
  [';;;,,,=', 'identity']
]

const TAGS: Readonly<Record<Coding, string>> = {
  br: 'BR_ETAG', zstd: 'ZSTD_ETAG', gzip: 'GZIP_ETAG', identity: 'ETAG'
}

export const CONTENT_CODINGS: readonly AnswerCase[] = [
  ...WISHES.map(([accept, coding]) => answer('12.5.3', JSON.stringify(accept), {
    path: PAGE_PATH,
    fields: `Accept-Encoding: ${accept}\r\n`,
    status: 200,
    headers: {
      'content-encoding': coding === 'identity' ? null : coding,
      etag: TAGS[coding],
      vary: 'Accept-Encoding',
      'content-type': 'text/html; charset=utf-8'
    }
  })),
  answer('12.5.3', 'no Accept-Encoding', { path: PAGE_PATH, status: 200, headers: { 'content-encoding': null, vary: 'Accept-Encoding' } }),
  answer('12.5.5', 'a file of one coding depends on nothing', { fields: 'Accept-Encoding: gzip\r\n', status: 200, headers: { 'content-encoding': null, vary: null } }),
  answer('12.5.3', 'the page for what is not there', {
    path: '/nothing', fields: 'Accept-Encoding: gzip\r\n', status: 404, headers: { 'content-encoding': 'gzip', vary: 'Accept-Encoding', etag: null }
  }),
  answer('12.5.3', 'a file of the monitor', {
    on: 'monitor', path: '/usher.css', fields: 'Accept-Encoding: gzip\r\n', status: 200, headers: { 'content-encoding': 'gzip', vary: 'Accept-Encoding' }
  }),
  answer('12.5.1', 'Accept is not looked at', { fields: 'Accept: image/png\r\n', status: 200 }),
  answer('12.5.4', 'nor is Accept-Language', { path: PAGE_PATH, fields: 'Accept-Language: xx\r\n', status: 200, headers: { vary: 'Accept-Encoding' } })
]
