/**
 * What a visitor of nginx notices when it asks Usher for each page (`auth_request`): the p99 of
 * pages at a fixed rate, beside the same pages of the same nginx without. Of a page that an
 * application makes, as the recipes have it, and of a file of nginx's own, the least that there is
 * to add to; there also with others in Usher's place, which decide nothing. All on one core.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verdictOf, type BenchResult } from '../bench/report/report.ts'
import { quantile } from '../measure/figures.ts'
import { freePorts, type Ground } from './ground.ts'
import { visitAtPace } from './paced-visits.ts'
import { haproxy } from './peers/haproxy.ts'
import { PLAIN_HTTP } from './peers/node-servers.ts'
import { findProgram, launch, type Peer, type RunningPeer } from './peers/peer.ts'
import { startUsher } from './peers/usher.ts'
import { withOne, withRunning, type Stand } from './stand.ts'

const PER_SECOND = 2_000
const ROUND_MS = 9_000
const ROUND_MS_OF_TRIAL = 900
/** What disturbs the core now and then makes the p99: all kinds are to have their share of it. */
const ROUNDS_MIN = 20
/** Until V8 has compiled what is asked for. */
const WARM_UP_ROUNDS = 2
const LATE_SHARE = 0.99
const SHARES = [0.5, LATE_SHARE] as const
const GOAL = { floor: 1.5, goal: 1.2 }

/** Pages of nginx. */
interface Pages {
  readonly what: string
  readonly port: number
  /** The host that they come from; else they are files of nginx's own. */
  readonly app?: string
  /** Whom it asks before it sends one. */
  readonly asks?: { readonly who: string, readonly host: string, readonly path: string }
  /** The same pages where nobody is asked. */
  readonly without?: Pages
  /** In the row of goals. */
  readonly goal?: string
}

export async function benchAuth (stand: Stand, rounds: number): Promise<BenchResult> {
  const { ground, cores, program, isTrial } = stand
  const [nginx, haproxyPath] = [findProgram('nginx'), findProgram('haproxy')]
  if (nginx === undefined) throw new Error('nginx was not found')
  const others = [PLAIN_HTTP, ...(haproxyPath === undefined ? [] : [haproxy(haproxyPath)])]
  const [decisionPort = 0, nothingPort = 0, ...ports] = await freePorts(8)
  const settings = { DECISION_PORT: String(decisionPort) }
  const usher = await startUsher(ground, cores.server, { program, settings })
  try {
    return await withRunning(others, stand, async running => {
      const all = kindsOf(ports, decisionPort, nothingPort, running.map(([, peer]) => peer))
      return await withOne(askingNginx(nginx, all, nothingPort), stand, async () => {
        const times = isTrial
          ? await measure(all, rounds, ROUND_MS_OF_TRIAL)
          : await measure(all, Math.max(rounds, ROUNDS_MIN), ROUND_MS)
        return resultOf(times, stand)
      })
    })
  } finally {
    await usher.stop()
  }
}

/** @param others an application, and haproxy where there is one */
function kindsOf (
  ports: readonly number[], decisionPort: number, nothingPort: number,
  [app, haproxy]: readonly RunningPeer[]
): readonly Pages[] {
  const hostOf = (url: string | undefined): string => new URL(url!).host
  const host = (port: number): string => `127.0.0.1:${port}`
  const page = { what: 'a page of an application', port: ports[0]!, app: hostOf(app!.urls.page) }
  const file = { what: 'a file of its own', port: ports[1]! }
  const usher = { who: 'Usher', host: host(decisionPort), path: '/decide?full=401' }
  return [
    page,
    {
      ...page,
      port: ports[2]!,
      without: page,
      asks: usher,
      goal: 'p99 of a page of an application behind nginx with `auth_request`'
    },
    file,
    {
      ...file,
      port: ports[3]!,
      without: file,
      asks: usher,
      goal: 'p99 of a file of nginx with `auth_request`'
    },
    ...(haproxy === undefined
      ? []
      : [{
          ...file,
          port: ports[4]!,
          without: file,
          asks: { who: 'haproxy', host: hostOf(haproxy.urls.beat), path: '/' }
        }]),
    {
      ...file,
      port: ports[5]!,
      without: file,
      asks: { who: 'nginx itself', host: host(nothingPort), path: '/' }
    }
  ]
}

/** Of all rounds together, in milliseconds, by the pages of nginx. */
async function measure (
  all: readonly Pages[], rounds: number, ms: number
): Promise<ReadonlyMap<Pages, readonly number[]>> {
  const urls = all.map(({ port }) => `http://127.0.0.1:${port}`)
  const times = new Map<Pages, number[]>(all.map(pages => [pages, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const found = await visitAtPace({ urls, perSecond: PER_SECOND, ms })
    if (round < 0) continue
    for (const [at, pages] of all.entries()) times.get(pages)!.push(...found[at]!)
  }
  return times
}

/** @param nothingPort where it says itself that there is nothing to say */
function askingNginx (path: string, all: readonly Pages[], nothingPort: number): Peer {
  return {
    name: 'nginx with auth_request',
    services: ['page'],
    async start (ground, core) {
      const folder = join(ground.folder, 'asking-nginx')
      mkdirSync(folder, { recursive: true })
      const file = join(folder, 'nginx.conf')
      writeFileSync(file, configuration(ground, folder, all, nothingPort))
      return await launch([path, '-c', file, '-e', 'stderr'], core, {
        page: `http://127.0.0.1:${nothingPort}`
      })
    }
  }
}

function configuration (
  { siteFolder }: Ground, folder: string, all: readonly Pages[], nothingPort: number
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
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  root ${siteFolder};
  server {
    listen 127.0.0.1:${nothingPort} backlog=4096;
    return 204;
  }
${all.map(serverFor).join('')}}
`
}

function serverFor ({ port, asks, app }: Pages): string {
  const upstream = (name: string, host: string): string => `
  upstream ${name}_${port} { server ${host}; keepalive 32; keepalive_requests 1000000000; }`
  const source = app === undefined ? '' : `proxy_pass http://app_${port};`
  const question = asks === undefined
    ? ''
    : `
      auth_request /decide;
      auth_request_set $usher_set_cookie $upstream_http_set_cookie;
      add_header Set-Cookie $usher_set_cookie always;`
  const decide = asks === undefined
    ? ''
    : `
    location = /decide {
      internal;
      proxy_pass http://asked_${port}${asks.path};
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Forwarded-Method $request_method;
      proxy_set_header X-Forwarded-For $remote_addr;
    }`
  return `${app === undefined ? '' : upstream('app', app)}${
    asks === undefined ? '' : upstream('asked', asks.host)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {${question}
      ${source}
    }${decide}
  }
`
}

function resultOf (
  times: ReadonlyMap<Pages, readonly number[]>, { commandOf }: Stand
): BenchResult {
  const timeOf = (pages: Pages, share: number): number => quantile(times.get(pages)!, share)
  const ratioOf = (pages: Pages, share: number): number =>
    timeOf(pages, share) / timeOf(pages.without!, share)
  const compared = [...times.keys()]
  /** Others that the same pages ask, beside what Usher is judged by. */
  const inItsPlace = ({ without }: Pages): string => compared
    .filter(pages => pages.without === without && pages.goal === undefined)
    .map(pages => `; ${pages.asks!.who} in its place ${ratioOf(pages, LATE_SHARE).toFixed(2)} x`)
    .join('')
  return {
    tables: [{
      id: 'auth',
      title: 'A page of nginx that asks Usher who goes where',
      columns: ['pages of nginx', 'p50 ms', 'p99 ms', 'p50 to without', 'p99 to without'],
      rows: compared.map(pages => [
        pages.asks === undefined ? pages.what : `the same, asking ${pages.asks.who}`,
        ...SHARES.map(share => timeOf(pages, share).toFixed(3)),
        ...SHARES.map(share => pages.without === undefined ? '' : ratioOf(pages, share).toFixed(2))
      ]),
      notes: [
        `${PER_SECOND.toLocaleString('en')} pages a second, each at its own moment, asked for ` +
        'whether or not those before have come; all servers on one core. Of ' +
        `${times.get(compared[0]!)!.length.toLocaleString('en')} pages of each kind, in short rounds ` +
        'in turn. The application is node:http with a page in memory; haproxy, and nginx where it ' +
        'asks itself, answer 204 to every question.'
      ],
      command: commandOf('auth')
    }],
    plots: [],
    goals: compared.flatMap(pages => pages.goal === undefined
      ? []
      : [{
          case: pages.goal,
          floor: `${GOAL.floor} x without`,
          goal: `${GOAL.goal} x`,
          measured: `${ratioOf(pages, LATE_SHARE).toFixed(2)} x${inItsPlace(pages)}`,
          verdict: verdictOf(ratioOf(pages, LATE_SHARE), GOAL)
        }])
  }
}
