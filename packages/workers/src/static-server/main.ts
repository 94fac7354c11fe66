/**
 * A static server's thread: one port, one folder of those that the loader has read, and the page
 * script.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { canSharePorts } from '@usher/shared/http/listen.ts'
import { openDoor } from '@usher/shared/http/serve.ts'
import { htmlReply, NO_STORE } from '@usher/shared/http/vocabulary/replies.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'
import { ForeignWarning } from '@usher/shared/foreign-warning.ts'
import {
  holderOfServer, holdSites, releaseSites, type HoldersMemory
} from '@usher/shared/memory/site-memory.ts'
import type { LoadedSites } from '@usher/shared/messages.ts'
import { QuotaWarning } from '@usher/shared/quota-warning.ts'
import { runWorker } from '../worker-host.ts'
import { BeatSchedule } from './beat.ts'
import { ownServers } from '@usher/shared/settings/servers.ts'
import { FileStreams } from './file-streams.ts'
import { staticHandler } from './handler.ts'
import { renderPageScript, storePageScript } from './page-script.ts'
import { openSite, type Site } from './site.ts'

const BODY_BYTES_MAX = 1024
/** The longest that a timer can take: the coordinator has a limit, by the size of the sites. */
const LOADING_TIMEOUT_MS = 2 ** 31 - 1

interface OpenedSite {
  readonly site: Site
  readonly holders: HoldersMemory
}

void runWorker(async ({ boot, table, denyList, denyListKnown, meter, log, ask }) => {
  const { settings, programDir, server } = boot
  const { port, folder } = ownServers(settings.servers)[server]!
  const readPage = (name: string): Promise<Buffer> => readFile(join(programDir, 'html/pages', name))
  const [denied, full, fault, script] = await Promise.all([
    readPage('denied.html'), readPage('full.html'), readPage('fault.html'),
    readFile(join(programDir, 'usher.js'), 'utf8')
  ])
  const rendered = renderPageScript(script, settings)
  let pageScript = await storePageScript(rendered, false)
  const holder = holderOfServer(server)
  let opened = await open(await ask({ type: 'get-sites' }, LOADING_TIMEOUT_MS))
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

  // The port opens only after that: clients who were denied before the start stay denied.
  await denyListKnown
  const door = await openDoor({
    ...settings,
    port,
    isPortShared: canSharePorts,
    handler: staticHandler({
      server,
      table,
      drainPhase: () => table.drainPhase(server),
      denyList,
      site: () => opened.site,
      streams: new FileStreams({ log }),
      get pageScript () { return pageScript },
      pages: { denied, full },
      settings,
      nextBeatMs: users => beats.nextInMs(users),
      onAddressFull: address => { quotaWarning.note(address) },
      onForeign: request => { foreignWarning.note(request) },
      reasonNotHealthy,
      log
    }),
    allow: 'GET, HEAD',
    bodyBytesMax: BODY_BYTES_MAX,
    meter,
    log,
    renderFault: code => htmlReply(500, fault.toString().replace('__CODE__', code), NO_STORE)
  })

  // Visitors do not wait for it to be compressed.
  const compressed = storePageScript(rendered).then(file => { pageScript = file })

  async function open (loaded: LoadedSites): Promise<OpenedSite> {
    holdSites(loaded.memory, holder)
    return { site: await openSite(folder, loaded), holders: loaded.memory.holders }
  }

  function switchSite (next: OpenedSite): void {
    const { holders } = opened
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
