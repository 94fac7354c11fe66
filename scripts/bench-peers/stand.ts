/** What every part of the benchmark works with, made once: cores, pages, and who is there. */
import type { Cores } from './cores.ts'
import type { Ground } from './ground.ts'
import { caddy } from './peers/caddy.ts'
import { haproxy } from './peers/haproxy.ts'
import { nginx, nginxSendfile } from './peers/nginx.ts'
import { HANDLES_ONLY, npmServers, PLAIN_HTTP, PLAIN_NET } from './peers/node-servers.ts'
import { findProgram, type Peer, type RunningPeer } from './peers/peer.ts'
import { usher, usherWithTls } from './peers/usher.ts'

export interface Stand {
  readonly ground: Ground
  readonly cores: Cores
  /** The path of wrk. */
  readonly wrk: string
  /** Usher first. */
  readonly peers: readonly Peer[]
  /** Of each measurement under load. */
  readonly seconds: number
  /** So few of everything, and so short, that it is only seen whether all of it works. */
  readonly isTrial: boolean
  /** Another build's coordinator.js. */
  readonly program: string | undefined
  /** What measures one part again. */
  readonly commandOf: (part: string) => string
}

const INSTALLED: Readonly<Record<string, ReadonlyArray<(path: string) => Peer>>> = {
  nginx: [nginx, nginxSendfile], haproxy: [haproxy], caddy: [caddy]
}

/** Those that are found on this machine, and who was not. */
export function findPeers (
  program: string | undefined, hasCertificate: boolean
): { peers: readonly Peer[], missing: readonly string[] } {
  const found: Peer[] = []
  const missing: string[] = []
  for (const [name, peersAt] of Object.entries(INSTALLED)) {
    const path = findProgram(name)
    if (path === undefined) missing.push(name)
    else found.push(...peersAt.map(peerAt => peerAt(path)))
  }
  try {
    found.push(...npmServers())
  } catch (error) {
    missing.push(`sirv and @fastify/static (${(error as Error).message.split('\n')[0]})`)
  }
  const ours = [usher(program), ...(hasCertificate ? [usherWithTls(program)] : [])]
  return { peers: [...ours, ...found, PLAIN_HTTP, PLAIN_NET, HANDLES_ONLY], missing }
}

/** Starts them, one after the other, and stops whatever was started. */
export async function withRunning<T> (
  peers: readonly Peer[], { ground, cores }: Stand,
  use: (running: ReadonlyArray<readonly [Peer, RunningPeer]>) => Promise<T>
): Promise<T> {
  const running: Array<readonly [Peer, RunningPeer]> = []
  try {
    for (const peer of peers) running.push([peer, await peer.start(ground, cores.server)])
    return await use(running)
  } finally {
    for (const [, peer] of running) await peer.stop()
  }
}

export async function withOne<T> (
  peer: Peer, stand: Stand, use: (running: RunningPeer) => Promise<T>
): Promise<T> {
  return await withRunning([peer], stand, ([one]) => use(one![1]))
}
