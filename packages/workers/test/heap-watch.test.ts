import { Worker } from 'node:worker_threads'
import t from 'tap'
import { buildSync } from 'esbuild'
import { LOOK_MS, watchHeap } from '../src/heap-watch.ts'

t.test('heap watch: throws when the heap is nearly full, and not before', async t => {
  const heap = { usedBytes: 799 * 2 ** 20, limitBytes: 1000 * 2 ** 20 }
  let look: (() => void) | undefined
  watchHeap({
    heap: () => heap,
    startInterval: (ms, work) => {
      t.equal(ms, LOOK_MS)
      look = work
      return () => {}
    }
  })
  look!()
  heap.usedBytes += 2 ** 20
  t.throws(look!, {
    code: 'USHER_MEMORY_EXHAUSTED', message: 'memory is nearly exhausted: 800 of 1000 MB'
  })
})

t.test('heap watch: a thread that leaks ends by its own error, and garbage ends none', async t => {
  const outfile = `${t.testdir()}/leaking.mjs`
  buildSync({
    stdin: {
      contents: `
        import { setTimeout } from 'node:timers/promises'
        import { workerData } from 'node:worker_threads'
        import { watchHeap } from './heap-watch.ts'
        watchHeap()
        const hoard = []
        for (let step = 0; step < 700; step++) {
          hoard.push(new Array(20_000).fill(step))
          if (!workerData.leaks) hoard.length = 0
          await setTimeout(5)
        }`,
      resolveDir: new URL('../src', import.meta.url).pathname,
      loader: 'ts'
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: { js: "import { createRequire as forPackages } from 'node:module'; const require = forPackages(import.meta.url);" }
  })
  for (const leaks of [true, false]) {
    const worker = new Worker(outfile, {
      workerData: { leaks },
      execArgv: [],
      // What is young may grow old all at once: with little of it the leak, some 6 MB between two
      // looks, cannot jump over the fifth of the heap that is left.
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 }
    })
    const causes: Error[] = []
    worker.on('error', error => { causes.push(error as Error) })
    await new Promise(resolve => { worker.on('exit', resolve) })
    t.match(causes, leaks ? [{ code: 'USHER_MEMORY_EXHAUSTED' }] : [], `leaks: ${leaks}`)
  }
})
