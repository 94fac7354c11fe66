/**
 * Servers on Node: two of npm's that are made for static files, in a workspace of their own that
 * nothing but this benchmark installs, and three that show what Node itself does.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../kit/places.ts'
import { freePorts } from '../ground.ts'
import { launch, type Peer, type Service } from './peer.ts'

const SOURCE = join(ROOT, 'scripts/bench-peers/servers')
/** Installed outside of the sources, so that nothing takes those packages for the project's. */
const INSTALLED = join(ROOT, 'node_modules/.cache/bench-peers')
const LOCK = 'package-lock.json'

export const PLAIN_HTTP = nodeServer('node:http', 'plain-http.mjs', ['page', 'redirect', 'beat'])
export const PLAIN_NET = nodeServer('node:net', 'plain-net.mjs', ['page', 'redirect', 'beat'])
/** What is built on Node can come near to this one, and not beyond it. */
export const HANDLES_ONLY =
  nodeServer('node:net, handles only', 'handles-only.mjs', ['page', 'redirect', 'beat'])

/** Installs them where that has not been done; throws npm's error. */
export function npmServers (): readonly Peer[] {
  // npm writes this file when it is through.
  const isWhole = existsSync(join(INSTALLED, 'node_modules/.package-lock.json'))
  const isFresh = isWhole && readOr(join(INSTALLED, LOCK)) === readOr(join(SOURCE, LOCK))
  cpSync(SOURCE, INSTALLED, { recursive: true })
  if (!isFresh) {
    process.stderr.write('Installing sirv and @fastify/static for the benchmark ...\n')
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: INSTALLED, stdio: ['ignore', 'ignore', 'inherit']
    })
  }
  return [
    nodeServer('sirv', 'sirv.mjs', ['page'], INSTALLED),
    nodeServer('@fastify/static', 'fastify-static.mjs', ['page'], INSTALLED)
  ]
}

function readOr (path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

function nodeServer (
  name: string, file: string, services: readonly Service[], folder = SOURCE
): Peer {
  return {
    name,
    services,
    async start ({ siteFolder }, core) {
      const [port] = await freePorts(1)
      const base = `http://127.0.0.1:${port}`
      const urls = { page: base, redirect: `${base}/away`, beat: base }
      const offered = Object.fromEntries(services.map(service => [service, urls[service as 'page']]))
      const command = [process.execPath, join(folder, file), String(port), siteFolder]
      return await launch(command, core, offered, { env: { NODE_ENV: 'production' } })
    }
  }
}
