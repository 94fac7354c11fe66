import t from 'tap'
import type { OrderMessage } from '@usher/shared/messages.ts'
import { PendingOrders } from '../src/pending-orders.ts'

const RELOAD = { type: 'prepare-reload' } as const
const SAVE = { type: 'save-users' } as const

t.test('pending orders: each is posted under an id of its own', async t => {
  const { send, posted, orders } = testOrders()
  const sent = [send(RELOAD), send(SAVE), send(RELOAD)]
  t.strictSame(posted.map(({ order }) => order), [RELOAD, SAVE, RELOAD])
  t.equal(new Set(posted.map(({ id }) => id)).size, 3)
  for (const { id } of posted) orders.settle({ type: 'done', id })
  await t.resolves(Promise.all(sent))
})

t.test('pending orders: an answer ends the order with its id and no other', async t => {
  const { send, posted, orders } = testOrders()
  const [first, second] = [send(RELOAD), send(RELOAD, 5)]
  orders.settle({ type: 'done', id: posted[0]!.id })
  await t.resolves(first)
  await t.rejects(second, { code: 'USHER_ORDER_TIMED_OUT' }, 'nobody has answered the other one')
})

t.test('pending orders: a failure carries code, message and stack of the worker\'s error', async t => {
  const { send, posted, orders } = testOrders()
  const sent = send(RELOAD)
  const error = { code: 'USHER_SITE_TOO_LARGE', message: 'too large by far', stack: 'far away' }
  orders.settle({ type: 'failed', id: posted[0]!.id, error })
  await t.rejects(sent, error)
  await t.rejects(sent, Error)
})

t.test('pending orders: the deadline names worker and order', async t => {
  const { send } = testOrders()
  const startMs = performance.now()
  await t.rejects(send(SAVE, 20), {
    code: 'USHER_ORDER_TIMED_OUT', message: 'server 8000 did not answer save-users in time'
  })
  t.ok(performance.now() - startMs >= 18)
})

t.test('pending orders: an answer after the deadline, or to nothing, is nobody\'s', async t => {
  const { send, posted, orders } = testOrders()
  await t.rejects(send(SAVE, 1), { code: 'USHER_ORDER_TIMED_OUT' })
  const next = send(RELOAD)
  orders.settle({ type: 'done', id: posted[0]!.id })
  orders.settle({ type: 'done', id: 4711 })
  orders.settle({ type: 'done', id: posted[1]!.id })
  orders.settle({ type: 'failed', id: posted[1]!.id, error: { code: '', message: '', stack: '' } })
  await t.resolves(next)
})

t.test('pending orders: all that are left end with the worker', async t => {
  const { send, orders } = testOrders()
  const sent = [send(RELOAD), send(SAVE)]
  orders.abandon()
  await t.rejects(sent[0]!, {
    code: 'USHER_WORKER_GONE', message: 'server 8000 ended before it answered prepare-reload'
  })
  await t.rejects(sent[1]!, { message: 'server 8000 ended before it answered save-users' })
  orders.abandon()
})

t.test('pending orders: one that ended keeps no timer', async t => {
  const cleared = t.capture(globalThis, 'clearTimeout', globalThis.clearTimeout)
  const { send, posted, orders } = testOrders()
  const sent = [send(RELOAD), send(SAVE)]
  orders.settle({ type: 'done', id: posted[0]!.id })
  t.equal(cleared().length, 1)
  orders.abandon()
  t.equal(cleared().length, 1)
  orders.abandon()
  t.equal(cleared().length, 0, 'it is forgotten')
  await Promise.allSettled(sent)
})

function testOrders () {
  const posted: OrderMessage[] = []
  const orders = new PendingOrders('server 8000')
  return {
    orders,
    posted,
    send: (order: OrderMessage['order'], timeoutMs = 60_000) =>
      orders.send(order, timeoutMs, message => { posted.push(message) })
  }
}
