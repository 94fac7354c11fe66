/** RFC 9110 on every port of the running program: conditions, ranges, codings, statuses. */
import t from 'tap'
import type { RawReply } from '../../packages/shared/test/http/fixtures/raw-client.ts'
import type { AnswerCase } from './cases/answer-case.ts'
import { ANSWERS } from './cases/answers.ts'
import { CONDITIONS } from './cases/conditions.ts'
import { CONTENT_CODINGS } from './cases/content-codings.ts'
import { RANGE_CASES } from './cases/ranges.ts'
import { flawsOf } from './exchange.ts'
import { MODIFIED, startKnownCluster } from './known-cluster.ts'
import { rawAsk, told } from './raw-ask.ts'

const METRICS_TOKEN = 'a-token-of-some-length'
const VISITOR = 'Cookie: client_id=6f1c2b0e-93d4-4c11-8a77-0b9e5d2f4a61\r\n'
const SUBJECTS: Readonly<Record<string, readonly AnswerCase[]>> = {
  conditions: CONDITIONS, ranges: RANGE_CASES, 'content codings': CONTENT_CODINGS, answers: ANSWERS
}

const cluster = await startKnownCluster(t, { METRICS_TOKEN })

for (const [subject, cases] of Object.entries(SUBJECTS)) {
  t.test(`semantics: ${subject}`, async t => {
    for (const given of cases) {
      const words = await wordsOf(given)
      const name = `${given.on}: ${given.name}, RFC 9110 section ${given.rfc}`
      const reply = await ask(given, given.method, spell(given.fields, words))
      t.equal(reply.status, given.status, name)
      for (const [field, wanted] of Object.entries(given.headers)) {
        const found = reply.headers[field]
        if (wanted === null) t.equal(found, undefined, `${name}: no ${field}`)
        else if (typeof wanted === 'string') t.equal(found, spell(wanted, words), `${name}: ${field}`)
        else t.match(found, wanted, `${name}: ${field}`)
      }
      if (given.body !== undefined) t.equal(reply.body, given.body, `${name}: body`)
      t.strictSame(flawsOf(reply), [], `${name}: all that its status needs`)
      if (given.method === 'GET' && !given.fields.includes('Range:')) {
        const head = await ask(given, 'HEAD', spell(given.fields, words))
        t.equal(head.status, given.status, `${name}: HEAD`)
        t.strictSame(told(head), told(reply), `${name}: HEAD has the same fields`)
        t.equal(head.body, '', `${name}: HEAD has no body`)
      }
    }
  })
}

function ask (
  { on, path }: Pick<AnswerCase, 'on' | 'path'>, method: string, fields: string
): Promise<RawReply> {
  return rawAsk(cluster.portOf(on), method, path, `${VISITOR}${fields}`)
}

/** What the words in a case stand for. */
async function wordsOf ({ on, path }: AnswerCase): Promise<ReadonlyMap<string, string>> {
  const tagFor = async (coding: string): Promise<string> => {
    const reply = await ask({ on, path }, 'GET', `Accept-Encoding: ${coding}\r\n`)
    return reply.headers['etag'] ?? '"none"'
  }
  const [plain, gzip, br, zstd] = await Promise.all(
    ['identity', 'gzip', 'br', 'zstd'].map(tagFor)) as [string, string, string, string]
  const secondsLater = (seconds: number): string =>
    new Date(MODIFIED.getTime() + seconds * 1000).toUTCString()
  return new Map([
    ['GZIP_ETAG', gzip], ['BR_ETAG', br], ['ZSTD_ETAG', zstd], ['OTHER_ETAG', '"another"'], ['ETAG', plain],
    ['UNQUOTED', plain.slice(1, -1)], ['DATE', secondsLater(0)], ['EARLIER', secondsLater(-1)],
    ['LATER', secondsLater(1)], ['TOKEN', METRICS_TOKEN]
  ])
}

function spell (text: string, words: ReadonlyMap<string, string>): string {
  let spelt = text
  for (const [word, meaning] of words) spelt = spelt.replaceAll(word, () => meaning)
  return spelt
}
