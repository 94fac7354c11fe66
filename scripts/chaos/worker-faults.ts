/**
 * Fault injection in a worker: is told how and where to die, and dies. One that is to be terminated
 * waits at that place until the main thread ends it.
 */
import { BroadcastChannel } from 'node:worker_threads'
import { ownerWord } from '@usher/shared/memory/lock.ts'
import type { BootData } from '@usher/shared/messages.ts'
import { interceptWrites } from './crash-on-write.ts'
import { CHANNEL, type ThreadWord } from './orders.ts'
import type { How } from './schedule.ts'

const EXIT_CODE = 7
const HOARD_WORDS = 100_000

export function awaitFault ({ memory, threadTag }: BootData): void {
  const { wait } = Atomics
  const channel = new BroadcastChannel(CHANNEL)
  let how: How = 'terminate'
  let writesLeft = Infinity

  interceptWrites(memory.buffer, ownerWord(threadTag), () => {
    if (--writesLeft > 0) return
    writesLeft = Infinity
    die()
  })

  channel.onmessage = message => {
    const word = (message as { readonly data: ThreadWord }).data
    if (word.type !== 'die' || word.threadTag !== threadTag) return
    how = word.how
    if (word.atWrite !== undefined) writesLeft = word.atWrite
    else setImmediate(die) // On a turn of its own: nobody here catches it.
  }
  channel.unref()

  function die (): void {
    switch (how) {
      case 'throw': throw new Error('told to throw')
      case 'exit': return process.exit(EXIT_CODE)
      case 'oom': return hoardMemory()
      case 'terminate': return waitForTermination()
    }
  }

  /** Until the main thread, which hears of it, ends this one. */
  function waitForTermination (): never {
    channel.postMessage({ type: 'stands-still', threadTag } satisfies ThreadWord)
    const nobody = new Int32Array(new SharedArrayBuffer(4))
    for (;;) wait(nobody, 0, 0)
  }
}

function hoardMemory (): never {
  const hoard: unknown[] = []
  for (;;) hoard.push(new Array(HOARD_WORDS).fill(hoard.length))
}
