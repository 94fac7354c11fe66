/**
 * Leaves V8's code cache in a program's folder: starts the program, visits it once, so that V8 has
 * compiled what a start needs, and stops it; each of its threads writes its own (code-writer.cjs).
 * Without a cache the program does the same, some 10 ms later.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const WRITER = join(import.meta.dirname, 'code-writer.cjs')
const RUN_MS_MAX = 60_000
const SETTINGS = {
  HOST: '127.0.0.1',
  IP: '127.0.0.1',
  PORTS: '0,0,0',
  ROUTING_PORT: '0',
  MONITORING_PORT: '0',
  // Visitors of a start wait for their server, as with a delay.
  DELAY_BETWEEN_ROUTING: '0.01',
  LOG_FILE: '-'
}

/** Says so where it cannot be done; never rejects. */
export async function leaveCode (programDir) {
  const folder = mkdtempSync(join(tmpdir(), 'usher-build-'))
  try {
    await runOnce(programDir, folder)
  } catch (error) {
    console.error(`The program starts a little slower: it could not be run here (${error.message})`)
    for (const file of readdirSync(programDir).filter(name => /\.(code|new)$/.test(name))) {
      rmSync(join(programDir, file))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runOnce (programDir, cwd) {
  const child = spawn(process.execPath, ['--require', WRITER, join(programDir, 'coordinator.js')], {
    cwd, env: { PATH: process.env.PATH, PROGRAM_DIR: programDir, ...SETTINGS }, stdio: ['ignore', 'pipe', 'ignore']
  })
  const ended = once(child, 'exit')
  const tooLate = setTimeout(() => { child.kill('SIGKILL') }, RUN_MS_MAX)
  try {
    for await (const line of createInterface(child.stdout)) {
      const router = /"router":"([^"]+)"/.exec(line)?.[1]
      if (router === undefined) continue
      await (await fetch(router)).text() // Follows the redirect.
      child.kill('SIGTERM')
    }
    const [code] = await ended
    if (code !== 0) throw new Error(`it ended with ${code}`)
  } finally {
    clearTimeout(tooLate)
    child.kill('SIGKILL')
  }
}
