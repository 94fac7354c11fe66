/** What is asked of the servers, as data, and the goals that stand on each. */
import { NGINX_SENDFILE } from './peers/nginx.ts'
import type { Service } from './peers/peer.ts'
import type { Load } from './wrk.ts'

export interface Case {
  /** For `--only`. */
  readonly id: string
  readonly title: string
  readonly service: Service
  readonly load: Pick<Load, 'shape' | 'service' | 'isClosing'>
  /** By name; others are left out. All if there is no list. */
  readonly peers?: readonly string[]
  /** Of Usher's requests for each second of processor time, as a ratio to a peer's. */
  readonly goals: readonly RatioGoal[]
}

export interface RatioGoal {
  readonly peer: string
  /** The peer, and what of it does it. */
  readonly by: string
  readonly floor: number
  readonly goal: number
  /** Said beside it: the ratio to another peer, and how that one differs. */
  readonly beside?: { readonly peer: string, readonly how: string }
}

/** The floors of pages are to nginx as it was when they were set: files are opened each time. */
const TO_SENDFILE = {
  peer: NGINX_SENDFILE,
  by: 'nginx `sendfile`',
  beside: { peer: 'nginx', how: 'with `open_file_cache`' }
}

const WITH_REFERENCES = [
  'Usher', 'nginx', 'haproxy', 'caddy', 'node:http', 'node:net', 'node:net, handles only'
]

export const CASES: readonly Case[] = [
  {
    id: 'page',
    title: '4 KB page, keep-alive, same head',
    service: 'page',
    load: { shape: 'same', service: 'page', isClosing: false },
    goals: [
      { ...TO_SENDFILE, floor: 1.7, goal: 2 },
      { peer: 'haproxy', by: 'haproxy `return file`', floor: 0.9, goal: 1 }
    ]
  },
  {
    id: 'differ',
    title: '4 KB page, keep-alive, heads that differ',
    service: 'page',
    load: { shape: 'differ', service: 'page', isClosing: false },
    goals: [{ ...TO_SENDFILE, floor: 1.3, goal: 1.5 }]
  },
  {
    id: 'redirect',
    title: 'Redirect, delay 0',
    service: 'redirect',
    load: { shape: 'same', service: 'away', isClosing: false },
    peers: WITH_REFERENCES,
    goals: [{ peer: 'haproxy', by: 'haproxy `http-request redirect`', floor: 0.7, goal: 1 }]
  },
  {
    id: 'beat',
    title: 'Heartbeat',
    service: 'beat',
    load: { shape: 'same', service: 'beat', isClosing: false },
    peers: WITH_REFERENCES,
    goals: [{ peer: 'haproxy', by: 'haproxy `204`', floor: 0.75, goal: 1 }]
  },
  {
    id: 'decision',
    title: 'Decision for a proxy, heads that differ',
    service: 'decision',
    load: { shape: 'differ', service: 'decide', isClosing: false },
    goals: [{ peer: 'haproxy', by: 'haproxy `http-request redirect`', floor: 0.6, goal: 1 }]
  },
  {
    id: 'connect',
    title: '4 KB page, a new connection per request',
    service: 'page',
    load: { shape: 'same', service: 'page', isClosing: true },
    peers: WITH_REFERENCES,
    goals: [{ peer: 'nginx', by: 'nginx `sendfile`', floor: 0.25, goal: 0.35 }]
  },
  {
    id: 'connect-redirect',
    title: 'Redirect, a new connection per request',
    service: 'redirect',
    load: { shape: 'same', service: 'away', isClosing: true },
    peers: WITH_REFERENCES,
    goals: []
  },
  {
    id: 'tls',
    title: '4 KB page over TLS, keep-alive',
    service: 'tlsPage',
    load: { shape: 'same', service: 'page', isClosing: false },
    goals: []
  }
]
