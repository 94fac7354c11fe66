/**
 * Preloaded into every thread of a program that a tool watches: as soon as a file `ask` in HEAP_DIR
 * has another text than before, collects garbage and writes the heap that is left, in a file named
 * by the thread. Threads of other libraries take no part: they come and go.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, workerData } from 'node:worker_threads'

const POLL_MS = 50
const folder = process.env.HEAP_DIR
const thread = isMainThread ? 'coordinator' : workerData?.name
let answered = ''

if (thread !== undefined && folder !== undefined) {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc')
  const write = asked => {
    // What is freed at the end of a collection may free more.
    collectGarbage()
    collectGarbage()
    const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics()
    const path = join(folder, thread)
    writeFileSync(`${path}.new`, JSON.stringify({ asked, thread, heapBytes, externalBytes }))
    renameSync(`${path}.new`, path)
  }
  setInterval(() => {
    const asked = question()
    if (asked === answered) return
    answered = asked
    write(asked)
  }, POLL_MS).unref()
}

function question () {
  try {
    return readFileSync(join(folder, 'ask'), 'utf8')
  } catch {
    return ''
  }
}
