/**
 * When a reply is over: it has left, or its connection is closed. A reply behind others of its
 * connection has no socket of its own yet, and says nothing itself when the connection goes. Runs
 * in the monitor's thread.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** One listener for a connection, however many replies wait on it. */
const dueOn = new WeakMap<Socket, Set<() => void>>()

/** Calls once; at once when the reply is over already. */
export function whenReplyEnds (reply: ServerResponse, action: () => void): void {
  const { socket } = reply.req
  if (reply.closed || socket.closed) return action()
  const due = dueOn.get(socket) ?? watch(socket)
  const end = (): void => { if (due.delete(end)) action() }
  due.add(end)
  reply.once('close', end)
}

function watch (socket: Socket): Set<() => void> {
  const due = new Set<() => void>()
  dueOn.set(socket, due)
  socket.once('close', () => { for (const end of [...due]) end() })
  return due
}
