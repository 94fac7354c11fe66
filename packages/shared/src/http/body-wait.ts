/**
 * The wait for a request's body: 100 Continue for a client that waits for it, and the time that the
 * body may take from then on. Looks at no byte of it. Holds no state.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { limitPeer } from '../peer-limit.ts'
import { expectsContinue } from './checks/request-head.ts'

/** @param onLate called once when the whole body has not come within `timeoutMs` */
export function awaitBody (
  request: IncomingMessage, response: ServerResponse, timeoutMs: number, onLate: () => void
): void {
  whenContinued(request, response, () => {
    const endLimit = limitPeer(timeoutMs, () => { if (!request.complete) onLate() })
    request.once('end', endLimit)
    request.once('close', endLimit)
  })
}

/**
 * Calls when the client has no more reason to hold its body back. Behind replies that are still due
 * 100 Continue has to wait: node:http would put it into the middle of its own reply. By then the
 * request may have been answered without its body, and nothing reads it any more.
 */
function whenContinued (
  request: IncomingMessage, response: ServerResponse, then: () => void
): void {
  const goOn = (): void => {
    if (response.headersSent) return
    response.writeContinue()
    then()
  }
  if (!expectsContinue(request)) then()
  else if (mayWrite(response)) goOn()
  else response.once('socket', goOn)
}

/**
 * Resolves when the replies before this one have left, and a 100 in front of it too, or when the
 * connection has closed.
 */
export function turnToWrite (response: ServerResponse): Promise<void> {
  const { socket } = response.req
  if (mayWrite(response) || socket.destroyed) return Promise.resolve()
  return new Promise(resolve => {
    const done = (): void => {
      socket.off('close', done)
      resolve()
    }
    response.once('socket', done)
    socket.once('close', done)
  })
}

function mayWrite ({ socket }: ServerResponse): boolean {
  return socket !== null
}
