/**
 * Preloaded into every thread of a program that is profiled: takes a CPU profile of its own thread
 * from when a file `start` is in PROFILE_DIR until a file `stop` is, and writes it there, named by
 * the thread. Threads of other libraries take no part.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { isMainThread, workerData } from 'node:worker_threads'

const POLL_MS = 50
const SAMPLE_US = 200
const folder = process.env.PROFILE_DIR
const thread = isMainThread ? 'coordinator' : workerData?.name

if (thread !== undefined && folder !== undefined) {
  const session = new Session()
  let isStarted = false
  const timer = setInterval(() => {
    if (!isStarted && existsSync(join(folder, 'start'))) {
      isStarted = true
      session.connect()
      session.post('Profiler.enable')
      session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US })
      session.post('Profiler.start')
    } else if (isStarted && existsSync(join(folder, 'stop'))) {
      clearInterval(timer)
      session.post('Profiler.stop', (error, { profile }) => {
        if (error) throw error
        const path = join(folder, `${thread}.cpuprofile`)
        writeFileSync(`${path}.new`, JSON.stringify(profile))
        renameSync(`${path}.new`, path)
      })
    }
  }, POLL_MS).unref()
}
