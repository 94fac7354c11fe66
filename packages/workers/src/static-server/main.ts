/** A static server's thread: one port, one folder, and the page script. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monotonicNowMs } from '@usher/shared/clock.ts'
import { openDoor } from '@usher/shared/http/serve.ts'
import { htmlReply, NO_STORE } from '@usher/shared/http/vocabulary/replies.ts'
import { expelledMatch } from '@usher/shared/expelled-clients.ts'
import { ForeignWarning } from '@usher/shared/foreign-warning.ts'
import { QuotaWarning } from '@usher/shared/quota-warning.ts'
import { runWorker } from '../worker-host.ts'
import { staticHandler } from './handler.ts'
import { renderPageScript } from './page-script.ts'
import { loadSite, type Site } from './site.ts'

const BODY_BYTES_MAX = 1024
const SKIPPED_SHOWN_MAX = 10

await runWorker(async ({ boot, table, denyList, denyListKnown, meter, log }) => {
  const { settings, programDir, server } = boot
  const { port, folder } = settings.servers[server]!
  const readPage = (name: string): Promise<Buffer> => readFile(join(programDir, 'html/pages', name))
  const [denied, full, fault, script] = await Promise.all([
    readPage('denied.html'), readPage('full.html'), readPage('fault.html'),
    readFile(join(programDir, 'usher.js'), 'utf8')
  ])
  let site = await load()
  let prepared: Site | undefined

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
    handler: staticHandler({
      server,
      table,
      denyList,
      site: () => site,
      pageScript: renderPageScript(script, settings),
      pages: { denied, full },
      settings,
      random: Math.random,
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

  async function load (): Promise<Site> {
    const loaded = await loadSite(folder)
    if (loaded.skipped.length > 0) {
      const { length: count } = loaded.skipped
      const some = loaded.skipped.slice(0, SKIPPED_SHOWN_MAX)
      log.warn({ folder, count, some }, 'links and other entries that are not plain files of the folder are not served')
    }
    return loaded
  }

  return {
    port: door.port,
    connectionCount: () => door.connectionCount(),
    async carryOut (order) {
      if (order.type === 'close-clients') {
        await door.closeClients(expelledMatch(order.expelled, monotonicNowMs))
      }
      if (order.type === 'switch-certificate') door.setCertificate(order.pair)
      if (order.type === 'prepare-reload') prepared = await load()
      if (order.type === 'commit-reload') site = prepared ?? site
      if (order.type === 'commit-reload' || order.type === 'abort-reload') prepared = undefined
    },
    close () {
      isStopping = true
      return door.close()
    }
  }
})
