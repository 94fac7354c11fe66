/** The monitor's thread: its port, the database, and users across a restart. */
import { join } from 'node:path'
import { textReply } from '@usher/shared/http/replies.ts'
import { openDoor } from '@usher/shared/http/serve.ts'
import { openDatabase } from '../database.ts'
import { runWorker } from '../worker-host.ts'
import { probeHandler } from './probes.ts'
import { restoreUsers, usersToSave } from './saved-users.ts'

const BODY_BYTES_MAX = 16 * 1024

await runWorker(async ({ boot, table, meter, log }) => {
  const { settings } = boot
  const database = openDatabase(settings.dbPath, join(boot.programDir, 'db'), log)
  if (boot.isFirstStart) {
    const { ports, timeoutThresholdMs } = settings
    const restored = await database.read(sql => {
      return restoreUsers(table, sql.savedUsers(), ports, timeoutThresholdMs, Date.now())
    })
    if (restored > 0) log.info({ users: restored }, 'users of the last stop are back')
  }

  let notReady: string | undefined = boot.isFirstStart ? 'starting' : undefined
  const door = await openDoor({
    ...settings,
    host: settings.monitoringHost,
    port: settings.monitoringPort,
    handler: probeHandler(() => notReady ?? unavailability()),
    allow: 'GET, HEAD',
    bodyBytesMax: BODY_BYTES_MAX,
    meter,
    log,
    renderFault: code => textReply(500, `A fault of ours: ${code}\n`)
  })

  function unavailability (): string | undefined {
    const isAnyUp = settings.ports.some((_, server) => table.serverState(server) === 'up')
    return isAnyUp ? undefined : 'no server is available'
  }

  return {
    port: door.port,
    connectionCount: () => door.connectionCount(),
    async carryOut (order) {
      if (order.type === 'set-readiness') {
        notReady = order.reason
        // Only once all have started: a start that fails must not lose them.
        if (notReady === undefined) await database.write(sql => { sql.forgetUsers() })
      }
      if (order.type === 'save-users') {
        await database.write(sql => {
          sql.saveUsers(usersToSave(table, settings.ports, Date.now()))
        })
      }
    },
    async close () {
      await door.close()
      database.close()
    }
  }
})
