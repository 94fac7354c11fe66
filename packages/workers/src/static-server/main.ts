/**
 * A static server's thread: one port, one folder of those that the loader has read, and the page
 * script.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BeatSchedule } from '@usher/shared/beats/beat.ts'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import type { StoredFile } from '@usher/shared/http/files/stored-file.ts'
import { canSharePorts } from '@usher/shared/http/listen.ts'
import { openDoor } from '@usher/shared/http/serve.ts'
import { htmlReply, NO_STORE } from '@usher/shared/http/vocabulary/replies.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'
import { ForeignWarning } from '@usher/shared/foreign-warning.ts'
import {
  holderOfServer, holdSites, releaseSites, type HoldersMemory
} from '@usher/shared/memory/site-memory.ts'
import type { LoadedSites } from '@usher/shared/messages.ts'
import { renderPageScript, storePageScript } from '@usher/shared/page-script.ts'
import { QuotaWarning } from '@usher/shared/quota-warning.ts'
import { ownServers } from '@usher/shared/settings/servers.ts'
import { runWorker } from '../worker-host.ts'
import { FileStreams } from './file-streams.ts'
import { staticHandler } from './handler.ts'
import { openSite, type Site } from './site.ts'

const BODY_BYTES_MAX = 1024
/** The longest that a timer can take: the coordinator has a limit, by the size of the sites. */
const LOADING_TIMEOUT_MS = 2 ** 31 - 1

interface OpenedSite {
  readonly site: Site
  readonly holders: HoldersMemory
}

void runWorker(async ({ boot, table, denyList, denyListKnown, tickets, meter, log, ask }) => {
  const { settings, programDir, server, openedPort } = boot
  const { port, folder } = ownServers(settings.servers)[server]!
  const readPage = (name: string): Buffer => readFileSync(join(programDir, 'html/pages', name))
  const [denied, full, network, fault] = [
    readPage('denied.html'), readPage('full.html'), readPage('network.html'),
    readPage('fault.html')
  ]
  const script = readFileSync(join(programDir, 'usher.js'), 'utf8')
  const rendered = renderPageScript(script, settings)
  const holder = holderOfServer(server)
  let pageScript: StoredFile
  let opened: OpenedSite | undefined
  const loading = load()
  loading.catch(() => {}) // Looked at below.
  let prepared: OpenedSite | undefined

  const beats = new BeatSchedule(settings, Math.random, monotonicNowMs)
  const quotaWarning = new QuotaWarning(log, monotonicNowMs)
  const foreignWarning = new ForeignWarning(log, monotonicNowMs)
  let isStopping = false

  function reasonNotHealthy (): string | undefined {
    if (isStopping) return 'stopping'
    const state = table.serverState(server)
    if (state === 'up') return undefined
    return state === 'draining' ? 'draining' : 'starting'
  }

  // A port opens only with the site; one that is open already holds who comes before.
  if (openedPort === undefined) await loading
  // Clients who were denied before the start stay denied.
  await denyListKnown
  const handle = staticHandler({
    server,
    table,
    drainPhase: () => table.drainPhase(server),
    denyList,
    tickets,
    site: () => opened!.site,
    streams: new FileStreams({ log }),
    get pageScript () { return pageScript },
    pages: { denied, full, network },
    settings,
    nextBeatMs: users => beats.nextInMs(users),
    onAddressFull: address => { quotaWarning.note(address) },
    onForeign: request => { foreignWarning.note(request) },
    reasonNotHealthy,
    log
  })
  const door = await openDoor({
    ...settings,
    port,
    isPortShared: canSharePorts,
    openedPort,
    // Who has come before the site waits for it.
    handler: request =>
      opened === undefined ? loading.then(() => handle(request)) : handle(request),
    allow: 'GET, HEAD',
    bodyBytesMax: BODY_BYTES_MAX,
    meter,
    log,
    renderFault: code => htmlReply(500, fault.toString().replace('__CODE__', code), NO_STORE)
  })

  await loading
  // Visitors do not wait for it to be compressed.
  const compressed = storePageScript(rendered).then(file => { pageScript = file })

  async function load (): Promise<void> {
    const asked = ask({ type: 'get-sites' }, LOADING_TIMEOUT_MS)
    pageScript = await storePageScript(rendered, false)
    opened = await open(await asked)
  }

  async function open (loaded: LoadedSites): Promise<OpenedSite> {
    holdSites(loaded.memory, holder)
    return { site: await openSite(folder, loaded), holders: loaded.memory.holders }
  }

  function switchSite (next: OpenedSite): void {
    const { holders } = opened!
    opened = next
    if (holders !== next.holders) void releaseSites(holders, holder)
  }

  return {
    port: door.port,
    connectionCount: () => door.connectionCount(),
    async carryOut (order) {
      if (order.type === 'close-clients') {
        await door.closeClients(expelledMatch(order.expelled, monotonicNowMs))
      }
      if (order.type === 'switch-certificate') door.setCertificate(order.pair)
      if (order.type === 'prepare-reload') {
        prepared = await open(order.loaded)
        await compressed
      }
      if (order.type === 'commit-reload') switchSite(prepared ?? await open(order.loaded))
      if (order.type === 'abort-reload' && prepared !== undefined) {
        void releaseSites(prepared.holders, holder)
      }
      if (order.type === 'commit-reload' || order.type === 'abort-reload') prepared = undefined
    },
    close () {
      isStopping = true
      return door.close()
    }
  }
})
