import t from 'tap'
import { formatEngineUrl, parseEngineUrl, shownEngine } from '@usher/shared/fleet/engine-url.ts'

const NOBODY = { username: undefined, password: undefined }

t.test('engine url: says where the engine is', async t => {
  const check = (text: string, wanted: object): void => {
    t.strictSame(parseEngineUrl(text).refusal, undefined, text)
    t.match(parseEngineUrl(text), { value: wanted }, text)
  }
  check('redis://engine', { kind: 'host', host: 'engine', port: 6379, db: 0, isTls: false, ...NOBODY })
  check('redis://10.0.0.5:7000/3', { kind: 'host', host: '10.0.0.5', port: 7000, db: 3 })
  check('rediss://[fd00::5]:7000', { kind: 'host', host: 'fd00::5', port: 7000, isTls: true })
  check('redis://usher:a%2Fb%40c@engine', { username: 'usher', password: 'a/b@c', host: 'engine' })
  check('redis://:secret@engine', { username: undefined, password: 'secret' })
  check('unix:///run/valkey.sock', { kind: 'socket', path: '/run/valkey.sock', db: 0 })
  check('unix://:secret@/run/valkey.sock?db=2', { kind: 'socket', path: '/run/valkey.sock', db: 2, password: 'secret' })
  check('redis+sentinel://a,b:5000,[::1]:5001/shop/2', {
    kind: 'sentinels',
    master: 'shop',
    db: 2,
    isTls: false,
    sentinels: [{ host: 'a', port: 26379 }, { host: 'b', port: 5000 }, { host: '::1', port: 5001 }]
  })
  check('rediss+sentinel://usher:x@a/shop', { kind: 'sentinels', isTls: true, username: 'usher' })
})

t.test('engine url: what is none is refused in words that show no password', async t => {
  const check = (text: string, wanted: RegExp): void => {
    const { refusal = '' } = parseEngineUrl(text)
    t.match(refusal, wanted, text)
    t.notMatch(refusal, /secret/, text)
  }
  check('', /no URL/)
  check('http://engine', /no URL/)
  check('redis://:sec/ret@engine', /no URL/)
  check('redis://', /is no host/)
  check('redis://engine:0', /is no host/)
  check('redis://engine:70000', /is no host/)
  check('redis://a,b', /more than one host/)
  check('redis://engine/16', /0 to 15/)
  check('redis://engine/x', /0 to 15/)
  check('redis://engine/1/2', /too much/)
  check('redis://engine?db=1', /slash/)
  check('redis://:secret%@engine', /percent-encoded/)
  check('unix://run/valkey.sock', /absolute/)
  check('unix:///run/valkey.sock?db=99', /0 to 15/)
  check('redis+sentinel://a,b', /the name by which/)
  check(`redis+sentinel://${Array(17).fill('a').join()}/shop`, /more than 16/)
})

t.test('engine url: is written as it was read, and shown without the password', async t => {
  const check = (text: string, shown = text): void => {
    const { value } = parseEngineUrl(text) as { value: Parameters<typeof shownEngine>[0] }
    t.equal(formatEngineUrl(value), text)
    t.equal(shownEngine(value), shown)
  }
  check('redis://engine:6379')
  check('rediss://usher:a%2Fb@[fd00::5]:7000/3', 'rediss://usher@[fd00::5]:7000/3')
  check('unix://:secret@/run/valkey.sock?db=2', 'unix:///run/valkey.sock?db=2')
  check('rediss+sentinel://usher:secret@a:26379,b:5000/shop', 'rediss+sentinel://usher@a:26379,b:5000/shop')
})
