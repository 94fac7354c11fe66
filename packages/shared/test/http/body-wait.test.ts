import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import t from 'tap'
import { awaitBody, turnToWrite } from '@usher/shared/http/body-wait.ts'

/** A request with these fields, and a response that takes notes of what is written. */
function exchange (headers: Record<string, string>, isDue = true) {
  const request = Object.assign(new EventEmitter(), { httpVersion: '1.1', headers, complete: false })
  const written: string[] = []
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    req: { socket: Object.assign(new EventEmitter(), { destroyed: false }) },
    socket: isDue ? {} : null,
    writeContinue: () => { written.push('100') }
  })
  return {
    request: request as unknown as IncomingMessage & { complete: boolean },
    response: response as unknown as ServerResponse & { headersSent: boolean },
    written
  }
}

const EXPECTS = { expect: '100-continue' }
const after = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

t.test('body-wait: 100 Continue goes to who waits for it, when nothing is in front of it', async t => {
  type Case = [headers: Record<string, string>, isDue: boolean, written: readonly string[]]
  const cases: readonly Case[] = [
    [{}, true, []], [EXPECTS, true, ['100']], [EXPECTS, false, []]
  ]
  for (const [headers, isDue, expected] of cases) {
    const { request, response, written } = exchange(headers, isDue)
    awaitBody(request, response, 60_000, () => {})
    t.strictSame(written, expected)
    response.emit('socket')
    t.equal(written.length, headers === EXPECTS ? 1 : 0, 'and once the others have left')
    request.emit('close')
  }
})

t.test('body-wait: a reply that was made without the body needs none any more', async t => {
  const { request, response, written } = exchange(EXPECTS, false)
  let isLate = false
  awaitBody(request, response, 1, () => { isLate = true })
  response.headersSent = true
  response.emit('socket')
  await after(20)
  t.strictSame(written, [])
  t.equal(isLate, false)
})

t.test('body-wait: a body is late by its own time, unless it is whole or its client gone', async t => {
  const waits = ['none', 'end', 'close', 'complete'].map(what => {
    const { request, response } = exchange({})
    const wait = { what, isLate: false }
    awaitBody(request, response, 5, () => { wait.isLate = true })
    if (what === 'complete') request.complete = true
    else request.emit(what)
    return wait
  })
  await after(50)
  t.strictSame(waits.map(({ isLate }) => isLate), [true, false, false, false])
})

t.test('body-wait: who waits to write has the turn when the others have left, or the client', async t => {
  await turnToWrite(exchange({}).response)
  const closed = exchange({}, false).response
  Object.assign(closed.req.socket, { destroyed: true })
  await turnToWrite(closed)
  for (const end of ['turn', 'close']) {
    const { response } = exchange({}, false)
    let hasTurn = false
    const turn = turnToWrite(response).then(() => { hasTurn = true })
    await after(5)
    t.equal(hasTurn, false)
    if (end === 'turn') response.emit('socket')
    else response.req.socket.emit('close')
    await turn
    t.equal(hasTurn, true)
    t.equal(response.req.socket.listenerCount('close'), 0)
  }
})
