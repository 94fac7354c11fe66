/**
 * Which index each server has. Own ones have theirs for good; an external one gets the one that its
 * name had before, else the first that nobody refers to any more, else a new one. One that is gone
 * leaves its name behind, for those who count there still. Decides and changes nothing.
 */
import { SERVERS_MAX } from '@usher/shared/memory/layout.ts'
import {
  ownServers, type ExternalServer, type OwnServer, type RemovedServer, type Slot
} from '@usher/shared/settings/servers.ts'

export interface Wanted {
  readonly own: readonly OwnServer[]
  /** In order; their indexes and places do not count, and the first of several of one name does. */
  readonly external: readonly ExternalServer[]
}

export interface Arranged {
  /** By index; never fewer than before. */
  readonly slots: readonly Slot[]
  /** Names that are taken, or that there is no index for. */
  readonly leftOut: readonly string[]
}

/** @param isReferred whether any user counts at a server that was removed */
export function arrange (
  before: readonly Slot[], { own, external }: Wanted, isReferred: (server: number) => boolean
): Arranged {
  const slots: Slot[] = before.map(removed)
  for (const server of own) slots[server.index] = server
  const taken = new Set(own.flatMap(({ name, port }) => [name, String(port)]))
  const unique: ExternalServer[] = []
  const again: ExternalServer[] = []
  for (const server of external) {
    if (taken.has(server.name)) again.push(server)
    else unique.push({ ...server, place: unique.length })
    taken.add(server.name)
  }
  const homeless: ExternalServer[] = []
  for (const server of unique) {
    const index = before.findIndex(slot => slot.kind !== 'own' && slot.name === server.name)
    if (index === -1) homeless.push(server)
    else slots[index] = { ...server, index }
  }
  // Of one that is removed in this step somebody may be on the way there.
  const free = before.filter(({ kind }, index) =>
    kind === 'removed' && slots[index]!.kind === 'removed')
  const without = homeless.filter(server => {
    const index = free.find(slot => slots[slot.index]!.kind === 'removed' && !isReferred(slot.index))
      ?.index ?? slots.length
    if (index === SERVERS_MAX) return true
    slots[index] = { ...server, index }
    return false
  })
  return { slots, leftOut: [...again, ...without].map(({ name }) => name) }
}

function removed (slot: Slot): Slot {
  const { kind, index, name } = slot
  return kind === 'own' ? slot : { kind: 'removed', index, name } satisfies RemovedServer
}

/** As they run, with what the settings say of them now: weights and capacities. */
export function ownAsSaid (running: readonly Slot[], said: readonly Slot[]): readonly OwnServer[] {
  const news = ownServers(said)
  return ownServers(running).map(server => {
    const { weight, capacity } = news[server.index] ?? server
    return { ...server, weight, capacity }
  })
}
