/**
 * Which connection of a crowded server gives way to a new one: one of a network over its quota,
 * else the longest idle. Holds no state.
 */
import type { AnySocket } from '../fast/accept.ts'
import type { ConnectionQuota } from './connection-quota.ts'
import type { Connection } from './connection.ts'

/** Those of the server. */
interface CrowdedConnections<C extends Connection> {
  readonly idle: { shift (): C | undefined }
  find (socket: AnySocket): C | undefined
  finish (connection: C): void
}

export function makeRoom<C extends Connection> (
  newcomer: AnySocket, connections: CrowdedConnections<C>, quota: ConnectionQuota
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
function endOverAfterReply<C extends Connection> (
  newcomer: AnySocket, connections: CrowdedConnections<C>, quota: ConnectionQuota
): boolean {
  const mayEnd = (socket: AnySocket): boolean =>
    connections.find(socket)?.finalBytes === undefined
  const over = quota.findOverQuota(newcomer, mayEnd)
  if (over !== undefined) connections.finish(connections.find(over)!)
  return over !== undefined
}
