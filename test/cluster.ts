/** A test's own cluster: the built program, what it logs, and visitors who ask it. */
import http from 'node:http'
import { resolve } from 'node:path'
import type t from 'tap'
import {
  startProgram, type LogLine, type Program, type ProgramOptions
} from '../scripts/kit/program.ts'

export const ROOT = resolve(import.meta.dirname, '..')

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface AskOptions {
  /** 127.0.0.1 if left out. */
  readonly host?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly agent?: http.Agent
  readonly body?: string
  /** Without one it waits for the answer for ever. */
  readonly signal?: AbortSignal
}

export interface Cluster extends Program {
  readonly log: readonly LogLine[]
  /** What it has said beside its log so far: the first password, and why it failed. */
  said (): string
  /** Resolves with the first line, earlier ones included, whose message matches. */
  logged (message: RegExp): Promise<LogLine>
}

interface Owner {
  testdir (content?: Parameters<typeof t.testdir>[0]): string
  teardown (end: () => unknown): void
}

export interface StartOptions extends
  Pick<ProgramOptions, 'program' | 'shell' | 'nodeOptions' | 'logFile'> {
  readonly cwd?: string
}

/** Servers elsewhere are played by the test, whose process may be held up. */
const PATIENT = { HEALTH_TIMEOUT: '10' }

/** tap would have its own code run in the program, with handlers for signals that node ignores. */
const AS_GIVEN = 'export NODE_OPTIONS="$GIVEN_OPTIONS"'

/** Starts the program; it is stopped at the end of the test if it still runs. */
export async function startCluster (
  t: Owner, settings: Record<string, string> = {}, options: StartOptions = {}
): Promise<Cluster> {
  const { cwd = workingFolder(t), nodeOptions = '', shell = 'exec "$@"', ...others } = options
  const log: LogLine[] = []
  const waiting = new Set<() => void>()
  let complaint = ''
  const program = await startProgram({ ...PATIENT, ...settings, GIVEN_OPTIONS: nodeOptions }, {
    ...others,
    folder: cwd,
    shell: `${AS_GIVEN}; ${shell}`,
    onLine: line => {
      log.push(line)
      for (const look of waiting) look()
    },
    onComplaint: text => { complaint += text }
  })
  t.teardown(() => program.stop('SIGKILL'))
  const logged = (message: RegExp): Promise<LogLine> => new Promise((resolve, reject) => {
    const look = (): void => {
      const line = log.find(({ msg }) => message.test(msg))
      if (line === undefined) return
      waiting.delete(look)
      resolve(line)
    }
    waiting.add(look)
    look()
    void program.exited.then(code => {
      reject(new Error(`ended with ${code} before it logged ${message}: ${complaint}`))
    })
  })
  return { ...program, log, said: () => complaint, logged }
}

/**
 * A folder for what the test starts, with this in it. It is removed after the teardowns that come
 * later: by itself tap removes it before them, under the hands of a program that still writes.
 */
export function workingFolder (t: Owner, content?: Parameters<Owner['testdir']>[0]): string {
  t.teardown(() => {})
  return t.testdir(content)
}

/** The settings under which another one is where this one is, or was. */
export function samePorts (cluster: Cluster): Record<string, string> {
  const { ports, routingPort, monitoringPort } = cluster
  return {
    PORTS: ports.join(','),
    ROUTING_PORT: String(routingPort),
    MONITORING_PORT: String(monitoringPort)
  }
}

export function ask (port: number, path = '/', options: AskOptions = {}): Promise<Answer> {
  const { host = '127.0.0.1', method = 'GET', headers = {}, agent, body, signal } = options
  return new Promise((resolve, reject) => {
    const request = http.request({
      host,
      port,
      path,
      method,
      headers,
      ...(agent === undefined ? {} : { agent }),
      ...(signal === undefined ? {} : { signal })
    })
    request.on('error', reject)
    request.on('response', response => {
      const chunks: Buffer[] = []
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode!, headers: response.headers, body })
      })
    })
    request.end(body)
  })
}

/** A browser's memory: who it is, and how it comes in by the router. */
export class Visitor {
  cookie: string | undefined

  /** Asks the router; returns the server's port, without going there. */
  async knock ({ routingPort }: Cluster): Promise<number> {
    const answer = await this.ask(routingPort)
    if (answer.status !== 302) throw new Error(`${answer.status} instead of a redirect`)
    return Number(new URL(answer.headers.location!).port)
  }

  /** Comes in by the router and loads the page; returns the server's port. */
  async enter (cluster: Cluster): Promise<number> {
    const port = await this.knock(cluster)
    const page = await this.ask(port)
    if (page.status !== 200) throw new Error(`${page.status} instead of the page`)
    return port
  }

  async ask (port: number, path = '/', options: AskOptions = {}): Promise<Answer> {
    const cookie = this.cookie === undefined ? {} : { cookie: this.cookie }
    const answer = await ask(port, path, { ...options, headers: { ...cookie, ...options.headers } })
    // In a fleet there is another one beside it, which is of no matter here.
    const given = answer.headers['set-cookie']?.find(text => text.startsWith('client_id='))
    if (given !== undefined) this.cookie = given.split(';')[0]!
    return answer
  }

  /** Beats by POST, which brings in who is not here; how many users the server says it has. */
  async beat (port: number): Promise<number> {
    const answer = await this.ask(port, '/heartbeat', { method: 'POST' })
    return Number(answer.headers['x-active-users'])
  }
}

/** How many of these ports there are of each, in the cluster's order. */
export function spread ({ ports }: Cluster, visits: readonly number[]): number[] {
  return ports.map(port => visits.filter(visit => visit === port).length)
}

/** Asks again and again until the answer is as wanted; the test's own time-out is the bound. */
export async function until<T> (
  ask: () => Promise<T>, isWanted: (answer: T) => boolean
): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (isWanted(answer)) return answer
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
