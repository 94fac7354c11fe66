import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import t from 'tap'
import * as errors from '@usher/shared/errors.ts'

const { errorOf, reportOf } = errors

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

/** The way of an error from one thread to another. */
async function cross (thrown: unknown): Promise<Error> {
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(reportOf(thrown))
  const [report] = await once(port2, 'message') as [errors.ErrorReport]
  port1.close()
  return errorOf(report)
}

t.test('errors: each code has its row in docs/errors.md, and the other way round', async t => {
  const defined = [...read('packages/shared/src/errors.ts').matchAll(/'(USHER_[A-Z_]+)'/g)]
  const rows = [...read('docs/errors.md').matchAll(/^\| `(USHER_[^`]+)` \| \S.* \| \S.* \|$/gm)]
  const codesOf = (matches: RegExpExecArray[]): string[] => matches.map(([, code]) => code!).sort()
  t.ok(defined.length > 5)
  t.same(codesOf(rows), codesOf(defined))
  t.equal(new Set(codesOf(defined)).size, defined.length, 'no code has two causes')
})

t.test('errors: a class makes errors with its code and a filled-in message', async t => {
  const cases: ReadonlyArray<[error: Error, code: string, message: string]> = [
    [new errors.OrderTimedOut('monitor', 'close'), 'USHER_ORDER_TIMED_OUT', 'monitor did not answer close in time'],
    [new errors.SettingsInvalid('100 %d of %s'), 'USHER_SETTINGS_INVALID', '100 %d of %s'],
    [new errors.TableStuck(), 'USHER_TABLE_STUCK', 'a shard of the user table stayed locked']
  ]
  for (const [error, code, message] of cases) {
    t.ok(error instanceof Error)
    t.match(error, { code, message })
    t.match(error.stack, 'errors.test')
  }
})

t.test('errors: code, message and stack cross from thread to thread', async t => {
  const coded = Object.assign(new Error('no room'), { code: 'ENOSPC', errno: -28 })
  const numbered = Object.assign(new Error('odd'), { code: 7 })
  const cases: ReadonlyArray<[thrown: unknown, code: string, message: string]> = [
    [new errors.DatabaseDamaged('db is damaged'), 'USHER_DATABASE_DAMAGED', 'db is damaged'],
    [new errors.WorkerGone('server 8000', 'close'), 'USHER_WORKER_GONE', 'server 8000 ended before it answered close'],
    [coded, 'ENOSPC', 'no room'],
    [new TypeError('not a function'), 'TypeError', 'not a function'],
    [numbered, 'Error', 'odd'],
    [new Error(''), 'Error', ''],
    [new AggregateError([coded], 'several'), 'AggregateError', 'several'],
    ['just text', 'USHER_UNKNOWN', 'just text'],
    ['', 'USHER_UNKNOWN', ''],
    [undefined, 'USHER_UNKNOWN', 'undefined'],
    [null, 'USHER_UNKNOWN', 'null'],
    [42, 'USHER_UNKNOWN', '42'],
    [Symbol('s'), 'USHER_UNKNOWN', 'Symbol(s)'],
    [Object.create(null), 'USHER_UNKNOWN', '[Object: null prototype] {}'],
    [{ code: 'EACCES' }, 'USHER_UNKNOWN', "{ code: 'EACCES' }"]
  ]
  for (const [thrown, code, message] of cases) {
    const error = await cross(thrown)
    t.ok(error instanceof Error)
    t.equal(error.message, message)
    t.equal((error as NodeJS.ErrnoException).code, code)
    t.equal(error.stack, thrown instanceof Error ? thrown.stack : '')
    t.same(reportOf(error), reportOf(await cross(error)), 'and once more')
  }
})

t.test('errors: a report holds nothing that cannot be posted', async t => {
  const error = Object.assign(new Error('with a function'), { code: 'X', retry: () => {} })
  t.same(Object.keys(reportOf(error)), ['code', 'message', 'stack'])
  t.match(await cross(error), { code: 'X', message: 'with a function' })
})
