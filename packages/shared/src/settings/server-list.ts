/**
 * The list of all servers by index, as each thread has it: one object for good, whose entries are
 * replaced all at once when a server is added, changed or removed. Whoever keeps something that was
 * made of it follows it. Any thread.
 */
import type { Slot } from './servers.ts'

const followers = new WeakMap<readonly Slot[], Array<() => void>>()

/** In place: whoever holds the list has the new one. Those who follow it are told at once. */
export function replaceServers (list: readonly Slot[], next: readonly Slot[]): void {
  const own = list as Slot[]
  own.splice(0, own.length, ...next)
  for (const tell of followers.get(list) ?? []) tell()
}

/** Calls `use` now and whenever the list has been replaced. */
export function followServers (list: readonly Slot[], use: () => void): void {
  followers.set(list, [...followers.get(list) ?? [], use])
  use()
}
