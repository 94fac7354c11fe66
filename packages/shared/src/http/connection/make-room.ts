/**
 * Which connection of a crowded server gives way to a new one: one of a network over its quota,
 * else the longest idle. Belongs to no server.
 */
import type { AnySocket } from '../fast/accept.ts'
import type { ConnectionQuota } from './connection-quota.ts'
import type { Connections } from './connections.ts'
import type { Exchange } from './exchange.ts'

export function makeRoom<E extends Exchange> (
  newcomer: AnySocket, connections: Connections<E>, quota: ConnectionQuota
): void {
  const mayEnd = (socket: AnySocket): boolean =>
    connections.find(socket)?.unanswered.length === 0
  const over = quota.findOverQuota(newcomer, mayEnd)
  if (over !== undefined) over.destroy()
  else if (quota.isOverQuota(newcomer)) newcomer.destroy()
  else if (!endOverAfterReply(newcomer, connections, quota)) {
    connections.idle.shift()?.socket.destroy()
  }
}

/** False when no network is over its quota. */
function endOverAfterReply<E extends Exchange> (
  newcomer: AnySocket, connections: Connections<E>, quota: ConnectionQuota
): boolean {
  const mayEnd = (socket: AnySocket): boolean =>
    connections.find(socket)?.finalBytes === undefined
  const over = quota.findOverQuota(newcomer, mayEnd)
  if (over !== undefined) connections.finish(connections.find(over)!)
  return over !== undefined
}
