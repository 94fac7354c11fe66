/**
 * What usher_v1 does, said once more on plain Maps and by looking at everything: slow and obvious.
 * Its clock is the test's.
 */
import type { Client } from '@usher/shared/client.ts'
import { clientKey, NO_INDEX, type FleetVisitor } from '@usher/shared/fleet/packed-texts.ts'
import {
  ALL_FULL, type JoiningServer, type NodeRun, type Report, type ViewedServer
} from '@usher/shared/fleet/usher-library.ts'

const LEASE_MS = 2000
const GAP_MS = 1000
const WARM_MS = 1000
const LATE_MS = 500

type Server = { -readonly [K in keyof ViewedServer]: ViewedServer[K] }

interface Node {
  readonly run: string
  seq: number
  untilMs: number
}

export class FleetModel {
  readonly servers = new Map<number, Server>()
  readonly nodes = new Map<string, Node>()
  /** By client: where, and until which tenth of a second. */
  readonly held = new Map<string, { index: number, tenth: number }>()
  #lastMs = -1
  #warmMs = 0
  #lastIndex = 0

  isWarmAt (nowMs: number): boolean {
    return nowMs < this.#warmMs
  }

  join (
    nowMs: number, sentMs: number, { name, run }: NodeRun, servers: readonly JoiningServer[]
  ): string {
    if (this.#begin(nowMs, sentMs)) return 'late'
    const there = this.nodes.get(name)
    if (there !== undefined && there.run !== run) return 'taken'
    this.nodes.set(name, { run, seq: there?.seq ?? 0, untilMs: nowMs + LEASE_MS })
    const before = [...this.servers.values()].filter(({ node }) => node === name)
    for (const server of servers) {
      const old = before.find(other => other.name === server.name)
      const index = old?.index ?? ++this.#lastIndex
      const { active, held } = old ?? { active: 0, held: 0 }
      this.servers.set(index, { ...server, node: name, index, active, held })
    }
    for (const old of before) {
      if (!servers.some(server => server.name === old.name)) this.servers.delete(old.index)
    }
    return 'ok'
  }

  leave (nowMs: number, sentMs: number, node: NodeRun): string {
    if (this.#begin(nowMs, sentMs)) return 'late'
    if (!this.#isThere(node)) return 'unknown'
    this.#forget(node.name)
    return 'ok'
  }

  drain (
    nowMs: number, sentMs: number, node: NodeRun, shares: ReadonlyArray<readonly [number, number]>
  ): string {
    if (this.#begin(nowMs, sentMs)) return 'late'
    if (!this.#isThere(node)) return 'unknown'
    for (const [index, share] of shares) {
      const server = this.servers.get(index)
      if (server?.node === node.name) server.share = share
    }
    return 'ok'
  }

  place (
    nowMs: number, sentMs: number, holdMs: number, visitors: readonly FleetVisitor[]
  ): string | readonly number[] {
    if (this.#begin(nowMs, sentMs)) return 'late'
    if (this.isWarmAt(nowMs)) return 'warm'
    const tenth = Math.floor(nowMs / 100) + 1 + Math.ceil(holdMs / 100)
    const isAny = [...this.servers.values()].some(({ share }) => share > 0)
    return visitors.map(({ client, hint, refusedBy }) => {
      const key = clientKey(client)
      const held = this.held.get(key)
      const isRefused = held?.index === refusedBy
      if (held !== undefined && !isRefused && (this.servers.get(held.index)?.share ?? 0) > 0) {
        held.tenth = tenth
        return held.index
      }
      if (held !== undefined) this.#give(key)
      const best = this.#best(refusedBy)
      const hinted = hint === refusedBy ? undefined : this.servers.get(hint)
      if (hinted !== undefined && hinted.share > 0 &&
        (best === undefined || (usersOf(hinted) - 1) / hinted.share <= scoreOf(best))) return hint
      if (best === undefined) return isAny ? ALL_FULL : NO_INDEX
      best.held++
      this.held.set(key, { index: best.index, tenth })
      return best.index
    })
  }

  report (nowMs: number, sentMs: number, node: NodeRun, report: Report): string {
    if (this.#begin(nowMs, sentMs)) return 'late'
    if (!this.#isThere(node)) return 'unknown'
    const there = this.nodes.get(node.name)!
    if (report.seq <= there.seq) return 'old'
    there.seq = report.seq
    there.untilMs = nowMs + LEASE_MS
    for (const { client, index } of firsts(report.arrived)) {
      if (index !== NO_INDEX) this.#give(clientKey(client))
    }
    for (const { client, index } of firsts(report.released)) {
      const held = this.held.get(clientKey(client))
      if (index === NO_INDEX || held?.index === index) this.#give(clientKey(client))
    }
    for (const { client, index, holdMs } of firsts(report.told)) {
      const server = this.servers.get(index)
      if (this.held.has(clientKey(client)) || server === undefined) continue
      server.held++
      const tenth = Math.floor(nowMs / 100) + 1 + Math.ceil(holdMs / 100)
      this.held.set(clientKey(client), { index, tenth })
    }
    for (const [index, users] of report.active) {
      const server = this.servers.get(index)
      if (server?.node === node.name) server.active = users
    }
    return 'ok'
  }

  view (nowMs: number): void {
    this.#begin(nowMs, nowMs)
  }

  /** What every call begins with. Returns whether it is late. */
  #begin (nowMs: number, sentMs: number): boolean {
    if (this.#lastMs === -1) this.#warmMs = nowMs + WARM_MS
    else if (nowMs - this.#lastMs > GAP_MS) {
      for (const node of this.nodes.values()) node.untilMs = nowMs + LEASE_MS
      this.#warmMs = nowMs + WARM_MS
    }
    this.#lastMs = nowMs
    for (const [name, { untilMs }] of [...this.nodes]) if (untilMs < nowMs) this.#forget(name)
    for (const [key, { tenth }] of [...this.held]) {
      if (tenth <= Math.floor(nowMs / 100)) this.#give(key)
    }
    return Math.abs(nowMs - sentMs) > LATE_MS
  }

  #best (refusedBy: number): Server | undefined {
    let best: Server | undefined
    for (const server of [...this.servers.values()].sort((a, b) => a.index - b.index)) {
      const isFull = server.capacity !== undefined && usersOf(server) >= server.capacity
      if (server.share === 0 || isFull || server.index === refusedBy) continue
      if (best === undefined || scoreOf(server) < scoreOf(best)) best = server
    }
    return best
  }

  #give (key: string): void {
    const server = this.servers.get(this.held.get(key)?.index ?? NO_INDEX)
    if (server !== undefined) server.held--
    this.held.delete(key)
  }

  #forget (name: string): void {
    this.nodes.delete(name)
    for (const { index, node } of [...this.servers.values()]) {
      if (node === name) this.servers.delete(index)
    }
  }

  #isThere ({ name, run }: NodeRun): boolean {
    return this.nodes.get(name)?.run === run
  }
}

/** Of a client that comes twice in a list the first counts. */
function firsts<T extends { readonly client: Client }> (list: readonly T[]): readonly T[] {
  const keys = list.map(({ client }) => clientKey(client))
  return list.filter((_, at) => keys.indexOf(keys[at]!) === at)
}

function usersOf ({ active, held }: Server): number {
  return active + held
}

function scoreOf (server: Server): number {
  return usersOf(server) / server.share
}
