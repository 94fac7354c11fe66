/**
 * What all servers of the benchmark stand on: a folder with the pages, a certificate, free ports.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Ground {
  /** For configuration; everything in it is gone after `clear`. */
  readonly folder: string
  /** `index.html` and `p0.html` to `p59.html`, 4 KB each. */
  readonly siteFolder: string
  /** PEM; undefined where there is no openssl. */
  readonly certificate: Certificate | undefined
  clear (): void
}

export interface Certificate {
  readonly certPath: string
  readonly keyPath: string
  /** Both in one file, as haproxy wants it. */
  readonly bothPath: string
}

export const PAGE_BYTES = 4096
/** Of pages with names of their own, for heads that differ; `visitors.lua` asks for them. */
const PAGES = 60

export function makeGround (): Ground {
  const folder = mkdtempSync(join(tmpdir(), 'usher-peers-'))
  const siteFolder = join(folder, 'site')
  mkdirSync(siteFolder)
  // nginx's worker is somebody else when it is started by root.
  for (const path of [folder, siteFolder]) chmodSync(path, 0o755)
  for (const name of ['index', ...Array.from({ length: PAGES }, (_, page) => `p${page}`)]) {
    // Random, so that it is 4 KB for everybody: nothing that compresses would make it smaller.
    writeFileSync(join(siteFolder, `${name}.html`), randomBytes(PAGE_BYTES))
  }
  return {
    folder,
    siteFolder,
    certificate: makeCertificate(folder),
    clear () { rmSync(folder, { recursive: true, force: true }) }
  }
}

/** For localhost, with the kind of key that certificate authorities hand out by default (P-256). */
function makeCertificate (folder: string): Certificate | undefined {
  const [keyPath, certPath, bothPath] = ['key', 'cert', 'both'].map(name => join(folder, `${name}.pem`))
  try {
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '30', '-subj', '/CN=localhost', '-keyout', keyPath!, '-out', certPath!
    ], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  writeFileSync(bothPath!, readFileSync(certPath!, 'utf8') + readFileSync(keyPath!, 'utf8'))
  return { certPath: certPath!, keyPath: keyPath!, bothPath: bothPath! }
}

/** Free a moment ago. */
export async function freePorts (count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
