import t from 'tap'
import { countEffect, countEffectOfReply } from '@usher/shared/http/vocabulary/counting.ts'
import { NO_BODY } from '@usher/shared/http/vocabulary/values.ts'
import { COUNTING_CASES } from '../cases/counting-cases.ts'

for (const { what, effect, method = 'GET', path = '/', headers = {} } of COUNTING_CASES) {
  t.test(`counting: ${what}`, async t => {
    t.equal(countEffect({ method, path, headers }), effect)
  })
}

t.test('counting: only an answer that is a page adds anybody', async t => {
  const reply = { status: 200, headers: [], body: NO_BODY }
  for (const [effect, expected] of [['adds', 'refreshes'], ['refreshes', 'refreshes'], ['none', 'none']] as const) {
    t.equal(countEffectOfReply(effect, { ...reply, isPage: true }), effect)
    t.equal(countEffectOfReply(effect, { ...reply, isPage: false }), expected)
    t.equal(countEffectOfReply(effect, reply), expected)
  }
})
