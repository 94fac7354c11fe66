/**
 * Feeds settings and account commands to the fuzzer's thread, each within a time, and some of them
 * to the program itself, in a process of its own: `coordinator.js --check` and the account command.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { PROGRAM_DIR, TOOLS_DIR } from '../kit/places.ts'
import { ACCOUNT_ENV, makeAccountsFolder, wrongEnd } from './account-target.ts'
import { targetOf, type AccountInput, type Finding, type SettingsInput, type ThreadInput } from './inputs.ts'

/** The longest takes a hash; a busy machine lets it wait. */
const INPUT_MS_MAX = 60_000
const PROCESS_MS_MAX = 120_000
const EXIT_SETTINGS = 2

export class ThreadRun {
  readonly counts = new Map<string, number>()
  readonly #onFinding: (finding: Finding) => void
  readonly #folder = makeAccountsFolder()
  #worker = makeWorker()

  constructor (onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding
  }

  async try (input: ThreadInput): Promise<void> {
    this.#count(targetOf(input))
    const wrongs = await this.#ask(input)
    for (const wrong of wrongs) this.#onFinding({ wrong, inputs: [input] })
  }

  /** In a process of its own; false where the system takes no such argument. */
  async tryProcess (input: ThreadInput): Promise<boolean> {
    const isSettings = input.to === 'settings'
    const texts = isSettings ? [...input.argv, ...Object.values(input.env)] : input.argv
    if (texts.some(text => text.includes('\0') || text.length > 100_000)) return false
    this.#count(isSettings ? 'settings by the program' : 'account by the command')
    const wrongs = isSettings ? await this.#check(input) : await this.#command(input)
    for (const wrong of wrongs) this.#onFinding({ wrong, inputs: [input] })
    return true
  }

  async close (): Promise<void> {
    await this.#worker.terminate()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #ask (input: ThreadInput): Promise<string[]> {
    const worker = this.#worker
    const over = new AbortController()
    const wrongs = await Promise.race([
      once(worker, 'message', over).then(([found]) => found as string[]),
      once(worker, 'exit', over).then(([code]) => [`the thread ended with ${code}`]),
      wait(INPUT_MS_MAX, ['no end in time'], over),
      this.#post(input)
    ]).catch((error: Error) => [`the thread died: ${error.message}`])
    over.abort()
    if (wrongs.some(wrong => /^(the thread|no end)/.test(wrong))) {
      // What hangs in one call of the system ends when that does.
      void worker.terminate()
      this.#worker = makeWorker()
    }
    return wrongs
  }

  /** Never resolves; rejects when the input cannot be posted. */
  #post (input: ThreadInput): Promise<never> {
    this.#worker.postMessage(input)
    return new Promise(() => {})
  }

  /** Asked first, `--check` is what is done unless help or version is asked for. */
  async #check ({ argv, env, file, secret }: SettingsInput): Promise<string[]> {
    const path = join(this.#folder, 'usher.env')
    rmSync(path, { force: true })
    if (file !== undefined) writeFileSync(path, file, 'latin1')
    const { code, said } = await run('coordinator.js', ['--check', ...argv], this.#folder, env)
    const wrongs = code === 0 || code === EXIT_SETTINGS ? [] : [`--check ended with ${code}: ${said}`]
    if (/\n\s+at .+:\d+/.test(said)) wrongs.push(`--check said a stack: ${said}`)
    if (secret !== undefined && said.includes(secret)) wrongs.push('--check shows a secret')
    return wrongs
  }

  async #command ({ argv, stdin, secret }: AccountInput): Promise<string[]> {
    const { code, said } = await run(
      'account.js', argv, this.#folder, ACCOUNT_ENV, Buffer.from(stdin, 'latin1'))
    return wrongEnd(code, said, secret)
  }

  #count (target: string): void {
    this.counts.set(target, (this.counts.get(target) ?? 0) + 1)
  }
}

function makeWorker (): Worker {
  return new Worker(join(TOOLS_DIR, 'fuzz-thread.js'))
}

function run (
  file: string, argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>,
  stdin?: Buffer
): Promise<{ code: number | null, said: string }> {
  return new Promise(resolve => {
    const child = execFile(process.execPath, [join(PROGRAM_DIR, file), ...argv], {
      cwd, env: { ...env }, timeout: PROCESS_MS_MAX, maxBuffer: 16 * 1024 * 1024
    }, (error, stdout, stderr) => {
      const code = error === null ? 0 : child.exitCode
      resolve({ code, said: `${stdout}${stderr}` })
    })
    // A command that ends before it has read everything closes the pipe.
    child.stdin!.on('error', () => {})
    child.stdin!.end(stdin)
  })
}
