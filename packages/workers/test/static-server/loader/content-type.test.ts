import { gzipSync } from 'node:zlib'
import t from 'tap'
import { contentKind } from '../../../src/static-server/loader/content-type.ts'

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const UTF16_MARK = Buffer.from([0xff, 0xfe])
const UTF16_BE_MARK = Buffer.from([0xfe, 0xff])
const GZIP = gzipSync('<svg/>')

t.test('content type: a charset that the text declares itself is left to it', async t => {
  const html = 'text/html; charset=utf-8'
  const cases: ReadonlyArray<[name: string, text: string | Buffer, type: string]> = [
    ['a.html', '<title>plain</title>', html],
    ['a.html', '<meta charset=utf-8>', html],
    ['a.html', '<META CHARSET="UTF-8"/>', html],
    ['a.html', '<meta charset=utf8>', html],
    ['a.html', '<meta charset=windows-1252>', 'text/html'],
    ['a.htm', '<!doctype html>\n<html>\n<meta   Charset = \'ISO-8859-1\' >', 'text/html'],
    ['a.html', '<meta name="x" content="a>b" charset="koi8-r">', 'text/html'],
    ['a.html', '<meta http-equiv="Content-Type" content="text/html; charset=shift_jis">', 'text/html'],
    ['a.html', '<meta content="text/html;charset=\'gbk\'" http-equiv=content-type>', 'text/html'],
    ['a.html', '<meta http-equiv=content-type content="text/html">', html],
    ['a.html', '<meta name=description content="charset=gbk">', html],
    ['a.html', '<meta http-equiv=refresh content="0; charset=gbk">', html],
    ['a.html', '<!-- <meta charset=gbk> -->', html],
    ['a.html', '<!-- <meta charset=gbk>', html],
    ['a.html', '<!-- x --><meta charset=gbk>', 'text/html'],
    ['a.html', '<metal charset=gbk>', html],
    ['a.html', '<meta charset="">', html],
    ['a.html', '<meta charset=gbk charset=utf-8>', 'text/html'],
    ['a.html', '<meta charset=utf-8><meta charset=gbk>', html],
    ['a.html', `${' '.repeat(1000)}<meta charset=gbk>`, 'text/html'],
    ['a.html', `${' '.repeat(1024)}<meta charset=gbk>`, html],
    ['a.html', Buffer.concat([UTF8_MARK, Buffer.from('<meta charset=gbk>')]), html],
    ['a.html', Buffer.concat([UTF16_MARK, Buffer.from('<p>', 'utf16le')]), 'text/html'],
    ['a.txt', UTF16_BE_MARK, 'text/plain'],
    ['a.txt', '<meta charset=gbk>', 'text/plain; charset=utf-8'],
    ['a.js', '// <meta charset=gbk>', 'text/javascript; charset=utf-8'],
    ['a.json', UTF16_MARK, 'application/json'],
    ['a.css', '@charset "windows-1252";', 'text/css'],
    ['a.css', '@charset "utf-8";', 'text/css; charset=utf-8'],
    ['a.css', ' @charset "windows-1252";', 'text/css; charset=utf-8'],
    ['a.xhtml', '<?xml version="1.0" encoding="gbk"?>', 'application/xhtml+xml'],
    ['a.svg', '<?xml version="1.0" encoding="gbk"?>', 'image/svg+xml'],
    ['a.png', UTF16_MARK, 'image/png']
  ]
  for (const [name, text, type] of cases) {
    t.equal(contentKind(name, Buffer.from(text)).type, type, `${name} ${text.toString('latin1').trim()}`)
  }
})

t.test('content type: what is compressed is told from what is an archive', async t => {
  const cases: ReadonlyArray<[
    name: string, body: Buffer, type: string, isText: boolean, isGzipped: boolean
  ]> = [
    ['a.svg', Buffer.from('<svg/>'), 'image/svg+xml', true, false],
    ['a.svgz', GZIP, 'image/svg+xml', false, true],
    ['a.SVGZ', GZIP, 'image/svg+xml', false, true],
    ['a.svgz', Buffer.from('<svg/>'), 'image/svg+xml', true, false],
    ['a.svg.gz', GZIP, 'application/gzip', false, false],
    ['a.gz', GZIP, 'application/gzip', false, false],
    ['a.tar.gz', GZIP, 'application/gzip', false, false],
    ['a.tgz', GZIP, 'application/octet-stream', false, false],
    ['a.zip', Buffer.from('PK'), 'application/zip', false, false],
    ['a.docx', Buffer.from('PK'), 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', false, false],
    ['a.jpg', GZIP, 'image/jpeg', false, false],
    ['a.woff2', GZIP, 'font/woff2', false, false]
  ]
  for (const [name, body, type, isText, isGzipped] of cases) {
    t.strictSame(contentKind(name, body), { type, isText, isGzipped }, name)
  }
})

t.test('content type: a certificate\'s challenge has no extension and is text', async t => {
  const cases: ReadonlyArray<[path: string, type: string]> = [
    ['.well-known/acme-challenge/a_Token-1', 'text/plain; charset=utf-8'],
    ['.well-known/acme-challenge/token.json', 'application/json; charset=utf-8'],
    ['.well-known/other', 'application/octet-stream'],
    ['sub/.well-known/acme-challenge/token', 'application/octet-stream'],
    ['acme-challenge/token', 'application/octet-stream']
  ]
  for (const [path, type] of cases) t.equal(contentKind(path, Buffer.from('x')).type, type, path)
})
