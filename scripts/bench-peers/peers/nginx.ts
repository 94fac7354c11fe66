/**
 * nginx, one worker, set up as its documentation recommends for speed: the directives' pages of
 * ngx_http_core_module on nginx.org, and "Tuning NGINX for Performance" on blog.nginx.org.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, type Ground } from '../ground.ts'
import { launch, type Peer, type Service } from './peer.ts'

const CONNECTIONS_MAX = 12_000
/** Open descriptors, sizes and times are kept, instead of three system calls for each request. */
const KEPT_OPEN = `open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 60s;
  open_file_cache_min_uses 1;`

export const NGINX_SENDFILE = 'nginx, sendfile alone'

export function nginx (path: string): Peer {
  return peerOf(path, 'nginx', ['page', 'redirect', 'beat', 'tlsPage'], KEPT_OPEN)
}

/** Without `open_file_cache`, as by default: it opens the file for each request. */
export function nginxSendfile (path: string): Peer {
  return peerOf(path, NGINX_SENDFILE, ['page'], '')
}

function peerOf (
  path: string, name: string, services: readonly Service[], fileCache: string
): Peer {
  return {
    name,
    services,
    async start (ground, core) {
      const [plain, tls] = await freePorts(2)
      const folder = join(ground.folder, `nginx-${plain}`)
      mkdirSync(folder)
      const file = join(folder, 'nginx.conf')
      writeFileSync(file, configuration(ground, folder, { plain: plain!, tls: tls!, fileCache }))
      const base = `http://127.0.0.1:${plain}`
      const withTls = ground.certificate === undefined ? {} : { tlsPage: `https://127.0.0.1:${tls}` }
      return await launch([path, '-c', file, '-e', 'stderr'], core,
        { page: base, redirect: `${base}/away`, beat: base, ...withTls })
    }
  }
}

function configuration (
  { siteFolder, certificate }: Ground, folder: string,
  { plain, tls, fileCache }: { plain: number, tls: number, fileCache: string }
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `${kind}_temp_path ${join(folder, kind)};`).join('\n  ')
  const tlsServer = certificate === undefined
    ? ''
    : `server {
    listen 127.0.0.1:${tls} ssl backlog=4096;
    ssl_certificate ${certificate.certPath};
    ssl_certificate_key ${certificate.keyPath};
    # "Configuring HTTPS servers": the handshake is what costs most; sessions are kept.
    ssl_session_cache shared:SSL:10m;
    ssl_session_timeout 10m;
    root ${siteFolder};
  }`
  return `
daemon off;
# One worker for each core that it may use.
worker_processes 1;
pid ${join(folder, 'pid')};
error_log stderr crit;
worker_rlimit_nofile ${CONNECTIONS_MAX + 100};
events { worker_connections ${CONNECTIONS_MAX}; }
http {
  ${temporary}
  types { text/html html; }
  # A write to the log for each request, else.
  access_log off;
  # From the page cache to the socket without a copy in between; head and file in one packet.
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  ${fileCache}
  # By default a connection is closed after 1,000 requests, which a load test should avoid.
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${plain} backlog=4096;
    root ${siteFolder};
    location /away { return 302 http://127.0.0.1:8000$request_uri; }
    location = /heartbeat { return 204; }
  }
  ${tlsServer}
}
`
}
