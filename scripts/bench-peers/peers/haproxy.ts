/**
 * haproxy, one thread, answering by itself: `http-request return` and `http-request redirect` of
 * its configuration manual, section 4.2. It keeps the page in memory, one for every path.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, type Ground } from '../ground.ts'
import { launch, type Peer } from './peer.ts'

/**
 * It takes two descriptors for each connection, whether or not it has servers to speak to; by
 * default it takes as many as the limit allows ("maxconn" in section 3.2). So many fit into a limit
 * of 20,000.
 */
const CONNECTIONS_MAX = 9_500

export function haproxy (path: string): Peer {
  return {
    name: 'haproxy',
    services: ['page', 'redirect', 'beat', 'decision', 'tlsPage'],
    connectionsMax: CONNECTIONS_MAX,
    async start (ground, core) {
      const ports = await freePorts(4)
      const folder = join(ground.folder, 'haproxy')
      mkdirSync(folder, { recursive: true })
      const file = join(folder, 'haproxy.cfg')
      writeFileSync(file, configuration(ground, ports))
      const [page, redirect, beat] = ports.map(port => `http://127.0.0.1:${port}`)
      const withTls = ground.certificate === undefined
        ? {}
        : { tlsPage: `https://127.0.0.1:${ports[3]}` }
      return await launch([path, '-db', '-q', '-f', file], core,
        { page: page!, redirect: redirect!, decision: redirect!, beat: beat!, ...withTls })
    }
  }
}

function configuration (
  { siteFolder, certificate }: Ground, [page, redirect, beat, tls]: readonly number[]
): string {
  const returnPage = 'http-request return status 200 content-type "text/html; charset=utf-8" ' +
    `file ${join(siteFolder, 'index.html')} hdr cache-control no-cache`
  const tlsPage = certificate === undefined
    ? ''
    : `
frontend tls
  bind 127.0.0.1:${tls} ssl crt ${certificate.bothPath} backlog 4096
  ${returnPage}
`
  return `
global
  # One thread for each core that it may use; no log, as there is no "log" line.
  nbthread 1
  maxconn ${CONNECTIONS_MAX}
defaults
  mode http
  # Connections are kept between requests by default ("option http-keep-alive").
  timeout client 75s
  timeout http-request 10s
  timeout http-keep-alive 75s
frontend page
  bind 127.0.0.1:${page} backlog 4096
  ${returnPage}
frontend redirect
  bind 127.0.0.1:${redirect} backlog 4096
  http-request redirect prefix http://127.0.0.1:8000 code 302
frontend beat
  bind 127.0.0.1:${beat} backlog 4096
  http-request return status 204 hdr x-active-users 1 hdr cache-control no-store
${tlsPage}`
}
