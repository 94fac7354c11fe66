/** Real engines for tests: each ends with its test. */
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import { openEngine, type CallEngine, type Engine } from '@usher/shared/fleet/engine.ts'
import {
  ENGINE_PROGRAMS, EngineProcess, NO_ENGINE, type EngineProcessOptions
} from './engine-process.ts'

/** For the options of a test. */
export const ENGINE_SKIP = ENGINE_PROGRAMS.length === 0 ? NO_ENGINE : false

export interface TestEngine extends Omit<EngineProcess, 'start' | 'close'> {
  /** At the same address, empty; after `kill`. Resolves when it answers. */
  restart (): Promise<void>
  /** On a connection of the test's own, which waits until the engine answers. */
  readonly call: CallEngine
}

/** Runs one until the test ends; resolves when it answers. */
export async function startEngine (
  t: Test, options: EngineProcessOptions = {}
): Promise<TestEngine> {
  const engine = new EngineProcess(options)
  let own: Engine | undefined
  t.teardown(async () => {
    await own?.close()
    await engine.close()
  })
  await engine.start()
  const { host, port, url, address, folder } = engine
  return {
    host,
    port,
    url,
    address,
    folder,
    freeze () { engine.freeze() },
    thaw () { engine.thaw() },
    kill: () => engine.kill(),
    restart: () => engine.start(),
    async call (...words) {
      own ??= openEngine({ address, name: 'test' })
      while (!own.isReady) await setTimeout(5)
      return await own.call(...words)
    }
  }
}
