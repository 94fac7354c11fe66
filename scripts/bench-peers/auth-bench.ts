/**
 * What a visitor of nginx notices when it asks Usher for each page (`auth_request`): the p99 of
 * pages at a fixed rate, beside the same pages of the same nginx without. Both stand on one core.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verdictOf, type BenchResult } from '../bench/report/report.ts'
import { median, quantile, spread } from '../measure/figures.ts'
import { freePorts, type Ground } from './ground.ts'
import { visitAtPace } from './paced-visits.ts'
import { findProgram, launch, type Peer } from './peers/peer.ts'
import { startUsher } from './peers/usher.ts'
import { ratios } from './rounds.ts'
import { withOne, type Stand } from './stand.ts'

const PER_SECOND = 2_000
const ROUND_MS = 2_000
const ROUND_MS_OF_TRIAL = 300
const LATE_SHARE = 0.99
const GOAL = { floor: 1.5, goal: 1.2 }

export async function benchAuth (stand: Stand, rounds: number): Promise<BenchResult> {
  const { ground, cores, program: path, isTrial } = stand
  const nginx = findProgram('nginx')
  if (nginx === undefined) throw new Error('nginx was not found')
  const [decisionPort = 0, plainPort = 0, askingPort = 0] = await freePorts(3)
  const settings = { DECISION_PORT: String(decisionPort) }
  const usher = await startUsher(ground, cores.server, { program: path, settings })
  try {
    const peer = askingNginx(nginx, { decisionPort, plainPort, askingPort })
    return await withOne(peer, stand, async () => {
      const ms = isTrial ? ROUND_MS_OF_TRIAL : ROUND_MS
      const measure = (port: number): Promise<readonly number[]> =>
        visitAtPace({ urls: [`http://127.0.0.1:${port}`], perSecond: PER_SECOND, ms })
      const [plain, asking]: Array<Array<readonly number[]>> = [[], []]
      for (const port of [plainPort, askingPort]) await measure(port) // Warm-up.
      for (let round = 0; round < rounds; round++) {
        plain!.push(await measure(plainPort))
        asking!.push(await measure(askingPort))
      }
      return resultOf(plain!, asking!, stand)
    })
  } finally {
    await usher.stop()
  }
}

interface Ports {
  readonly decisionPort: number
  readonly plainPort: number
  readonly askingPort: number
}

function askingNginx (path: string, ports: Ports): Peer {
  return {
    name: 'nginx with auth_request',
    services: ['page'],
    async start (ground, core) {
      const folder = join(ground.folder, 'asking-nginx')
      mkdirSync(folder, { recursive: true })
      const file = join(folder, 'nginx.conf')
      writeFileSync(file, configuration(ground, folder, ports))
      return await launch([path, '-c', file, '-e', 'stderr'], core, {
        page: `http://127.0.0.1:${ports.plainPort}`
      })
    }
  }
}

/** The pages are nginx's own, so that nothing but the question differs. */
function configuration (
  { siteFolder }: Ground, folder: string, { decisionPort, plainPort, askingPort }: Ports
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `${kind}_temp_path ${join(folder, kind)};`).join('\n  ')
  return `
daemon off;
worker_processes 1;
pid ${join(folder, 'pid')};
error_log stderr crit;
events { worker_connections 4096; }
http {
  ${temporary}
  types { text/html html; }
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000 inactive=60s;
  keepalive_requests 1000000000;
  upstream decisions { server 127.0.0.1:${decisionPort}; keepalive 32; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${plainPort} backlog=4096;
    root ${siteFolder};
  }
  server {
    listen 127.0.0.1:${askingPort} backlog=4096;
    root ${siteFolder};
    location / {
      auth_request /decide;
      auth_request_set $usher_set_cookie $upstream_http_set_cookie;
      add_header Set-Cookie $usher_set_cookie always;
    }
    location = /decide {
      internal;
      proxy_pass http://decisions/decide?full=401;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Forwarded-Method $request_method;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`
}

function resultOf (
  plain: ReadonlyArray<readonly number[]>, asking: ReadonlyArray<readonly number[]>,
  { commandOf }: Stand
): BenchResult {
  const [without, withIt] = [plain, asking].map(all => ({
    p50s: all.map(round => quantile(round, 0.5)),
    p99s: all.map(round => quantile(round, LATE_SHARE))
  }))
  const times = ratios(withIt!.p99s, without!.p99s)
  const row = (name: string, { p50s, p99s }: typeof without & {}): string[] =>
    [name, spread(p50s, 2), spread(p99s, 2)]
  return {
    tables: [{
      id: 'auth',
      title: 'A page of nginx that asks Usher who goes where',
      columns: ['pages', 'p50 ms', 'p99 ms'],
      rows: [
        row('nginx by itself', without!),
        row('with `auth_request` to the decision port', withIt!),
        ['ratio, round by round', spread(ratios(withIt!.p50s, without!.p50s), 2), spread(times, 2)]
      ],
      notes: [
        `${PER_SECOND.toLocaleString('en')} pages a second, asked for whether or not those before ` +
        `have come; nginx and Usher on one core. ${plain.length} rounds.`
      ],
      command: commandOf('auth')
    }],
    plots: [],
    goals: [{
      case: 'p99 of a page of nginx with `auth_request`',
      floor: `${GOAL.floor} x without`,
      goal: `${GOAL.goal} x`,
      measured: `${spread(times, 2)} x`,
      verdict: verdictOf(median(times), GOAL)
    }]
  }
}
