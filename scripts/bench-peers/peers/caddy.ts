/**
 * caddy's file server. It has no access log unless one is asked for, and its documentation names no
 * setting for speed; the administration's port and HTTPS are off, as nobody uses them here.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../ground.ts'
import { launch, type Peer } from './peer.ts'

export function caddy (path: string): Peer {
  return {
    name: 'caddy',
    services: ['page', 'redirect', 'beat'],
    async start ({ folder: ground, siteFolder }, core) {
      const [page, redirect, beat] = await freePorts(3)
      const folder = join(ground, 'caddy')
      mkdirSync(folder, { recursive: true })
      const file = join(folder, 'Caddyfile')
      writeFileSync(file, `
{
  admin off
  auto_https off
  servers {
    protocols h1
  }
  log {
    level ERROR
  }
}
http://127.0.0.1:${page} {
  root * ${siteFolder}
  file_server
}
http://127.0.0.1:${redirect} {
  redir http://127.0.0.1:8000{uri} 302
}
http://127.0.0.1:${beat} {
  respond 204
}
`)
      const urls = {
        page: `http://127.0.0.1:${page}`,
        redirect: `http://127.0.0.1:${redirect}`,
        beat: `http://127.0.0.1:${beat}`
      }
      // Where it keeps its state, which would be the user's home.
      const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, GOMAXPROCS: '1' }
      return await launch([path, 'run', '--config', file, '--adapter', 'caddyfile'], core, urls, { env })
    }
  }
}
