/**
 * A program for the fuzzer: short times, a small user table, a site with things beside it that
 * nobody may see, a session for each kind of operator; and the questions that it must always
 * answer.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { runAccountCommand } from '@usher/workers/accounts/account-command.ts'
import { ProcessProbe, type ProcessFigures } from '../process-figures.ts'
import { startProgram, type LogLine, type Program } from '../started-program.ts'
import { PORT_MARKS, SESSION_MARK, type RequestInput } from './inputs.ts'
import type { Secrets } from './judge.ts'
import { Operator } from './operator.ts'
import type { Subject } from './subject.ts'

const SECRET = 'planted-secret-7f3a'
const PASSWORD = 'a password that no input has'
/** Names that no input has: attempts to log in are counted by name. */
const OPERATORS = { administrator: ['usher-fuzz-administrator', 1], viewer: ['usher-fuzz-viewer', 0] } as const
const PUBLIC_HOST = 'shop.example'
const INDEX = '<!doctype html><title>fuzz</title><p>The start page.'
const MAX_USERS = 128
const SETTINGS = {
  HTML_DIRS: 'site',
  MAX_USERS: String(MAX_USERS),
  DELAY_BETWEEN_ROUTING: '0.01',
  SOCKET_TIMEOUT: '0.5',
  HEARTBEAT_INTERVAL: '0.5',
  TIMEOUT_THRESHOLD: '3',
  RESERVATION_TTL: '1',
  PUBLIC_HOSTS: PUBLIC_HOST,
  METRICS_TOKEN: SECRET.repeat(2),
  ADMIN_PASSWORD: `${SECRET} of admin`
}
/** Error and fatal, as pino numbers them. */
const GRAVE_LEVEL = 50
const COMPLAINTS_MAX = 20
const ROOT = resolve(import.meta.dirname, '..')
/** Main thread, three servers, monitor. */
const THREAD_COUNT = 5
const ASK_MS_MAX = 10_000
/** Never in an input. Seen twice, so that it is never displaced. */
const PROBE_ID = '0badcafe-0000-4000-8000-00000000f00d'

export class FuzzedProgram implements Subject {
  readonly #program: Program
  readonly #heaps: ProcessProbe
  readonly #complaints: string[]
  readonly #operators: Readonly<Record<'viewer' | 'administrator', Operator>>
  #isStopping = false

  /** @param isProxied whether this machine's X-Forwarded-* are believed */
  static async start (isProxied: boolean): Promise<FuzzedProgram> {
    const heaps = new ProcessProbe()
    const complaints: string[] = []
    const complain = (text: string): void => {
      if (complaints.length < COMPLAINTS_MAX) complaints.push(text)
    }
    const program = await startProgram({
      ...SETTINGS, ...heaps.env, ...(isProxied && { TRUST_PROXY: '127.0.0.1' })
    }, {
      nodeOptions: heaps.nodeOptions,
      prepare: makeSite,
      onLine: line => { if (isGrave(line)) complain(`logged: ${JSON.stringify(line)}`) },
      onComplaint: text => complain(`said: ${text}`)
    })
    for (const [name, permission] of Object.values(OPERATORS)) {
      await addAccount(program.folder, name, permission)
    }
    const logIn = (role: keyof typeof OPERATORS): Promise<Operator> =>
      Operator.logIn(program.monitorUrl, OPERATORS[role][0], PASSWORD)
    const operators = { viewer: await logIn('viewer'), administrator: await logIn('administrator') }
    return new FuzzedProgram(program, heaps, complaints, operators)
  }

  private constructor (
    program: Program, heaps: ProcessProbe, complaints: string[],
    operators: Readonly<Record<'viewer' | 'administrator', Operator>>
  ) {
    this.#program = program
    this.#heaps = heaps
    this.#complaints = complaints
    this.#operators = operators
    void program.exited.then(code => {
      if (!this.#isStopping) complaints.push(`the program ended with ${code}`)
    })
  }

  get secrets (): Secrets {
    const texts = [SECRET, PASSWORD, this.#program.folder, ROOT]
    return { texts, publicHosts: [PUBLIC_HOST] }
  }

  portOf ({ to, server = 0 }: RequestInput): number {
    const { routerUrl, serverUrls, monitorUrl } = this.#program
    if (to === 'router') return portIn(routerUrl)
    return portIn(to === 'server' ? serverUrls[server]! : monitorUrl)
  }

  fill ({ to }: RequestInput, wire: string): string {
    const token = to === 'viewer' || to === 'administrator' ? this.#operators[to].token : undefined
    const ported = PORT_MARKS.reduce((text, mark, at) =>
      text.replaceAll(mark, String(portIn(this.#program.serverUrls[at]!))), wire)
    return token === undefined ? ported : ported.replaceAll(SESSION_MARK, token)
  }

  complaints (): readonly string[] {
    return this.#complaints.splice(0)
  }

  async check (): Promise<readonly string[]> {
    try {
      await this.#reset()
      const wrongs = await Promise.all([
        this.#checkRedirect(), this.#checkPages(), this.#checkTable()
      ])
      return wrongs.flat()
    } catch (error) {
      return [`a check failed: ${(error as Error).message}`]
    }
  }

  async figures (): Promise<ProcessFigures> {
    return await this.#heaps.figures(this.#program.pid, THREAD_COUNT)
  }

  /** @returns what was wrong with its end */
  async stop (): Promise<readonly string[]> {
    this.#isStopping = true
    await this.#program.stop()
    this.#heaps.close()
    const code = await this.#program.exited
    return code === 0 ? this.complaints() : [`the stop ended with ${code}`, ...this.complaints()]
  }

  async #reset (): Promise<void> {
    const { administrator, viewer } = this.#operators
    await Promise.all([administrator.stayLoggedIn(), viewer.stayLoggedIn()])
    const { denied } = await administrator.get('/denied') as { denied: Array<Record<string, string>> }
    for (const { userId, address } of denied) {
      await administrator.post('/allow', userId === undefined ? { address } : { userId })
    }
    for (const url of this.#program.serverUrls) {
      await administrator.post(`/servers/${portIn(url)}/ready`, {})
    }
  }

  async #checkRedirect (): Promise<string[]> {
    const answer = await ask(`${this.#program.routerUrl}/probe?x=1`)
    const location = answer.headers.get('location') ?? ''
    const isRight = answer.status === 302 &&
      this.#program.serverUrls.some(url => location === `${url}/probe?x=1`)
    return isRight ? [] : [`a plain redirect is ${answer.status} to ${JSON.stringify(location)}`]
  }

  async #checkPages (): Promise<string[]> {
    const wrongs: string[] = []
    for (const url of this.#program.serverUrls) {
      const answer = await ask(`${url}/`)
      const isRight = answer.status === 200 && await answer.text() === INDEX
      if (!isRight) wrongs.push(`a plain page is ${answer.status}`)
    }
    const { status } = await ask(`${this.#program.monitorUrl}/healthz`)
    return status === 200 ? wrongs : [...wrongs, `/healthz is ${status}`]
  }

  async #checkTable (): Promise<string[]> {
    const stats = await this.#operators.administrator.get('/stats?limit=0') as {
      total_users: number, table: { used: number }
    }
    const used = Math.max(stats.total_users, stats.table.used)
    return used <= MAX_USERS ? [] : [`${used} users in a table for ${MAX_USERS}`]
  }
}

function makeSite (folder: string): void {
  const site = join(folder, 'site')
  mkdirSync(join(site, '.git'), { recursive: true })
  mkdirSync(join(site, 'deep'))
  const files = {
    'index.html': INDEX,
    'style.css': 'p { color: green }'.repeat(100),
    'large.txt': 'A line of a large file.\n'.repeat(20_000),
    'deep/page.html': '<!doctype html><title>deep</title>',
    'deep/index.html': '<!doctype html><title>index</title>',
    'picture.png': '\x89PNG\r\n\x1a\n',
    'caf\u00e9.html': '<!doctype html><title>caf\u00e9</title>',
    'with blank.txt': 'blank',
    '.env': SECRET,
    '.git/config': SECRET,
    '../secret.txt': SECRET
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(site, name), text)
  symlinkSync('../secret.txt', join(site, 'link.txt'))
  symlinkSync('..', join(site, 'up'))
}

/** Beside the running program, as an operator would. */
async function addAccount (folder: string, name: string, permission: number): Promise<void> {
  const complained = new PassThrough()
  const argv = ['add', name, '--permission', String(permission)]
  const env = { HTML_DIRS: 'site', LOG_FILE: '-' }
  const source = { argv, env, cwd: folder, programDir: import.meta.dirname }
  const code = await runAccountCommand(source, {
    stdin: Readable.from([`${PASSWORD}\n`]), stdout: new PassThrough(), stderr: complained
  })
  if (code !== 0) throw new Error(`no account ${name}: ${String(complained.read())}`)
}

async function ask (url: string): Promise<Response> {
  return await fetch(url, {
    redirect: 'manual',
    headers: { cookie: `client_id=${PROBE_ID}` },
    signal: AbortSignal.timeout(ASK_MS_MAX)
  })
}

function isGrave ({ level }: LogLine): boolean {
  return typeof level === 'number' && level >= GRAVE_LEVEL
}

function portIn (url: string): number {
  return Number(new URL(url).port)
}
