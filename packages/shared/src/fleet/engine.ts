/**
 * A connection to the fleet's engine, Valkey or Redis: opened again whenever it is lost, and looked
 * at each time before it is used. The only file that loads ioredis, and only when one is opened.
 * With its defaults, calls hang for as long as the engine does: here each settles within a second,
 * none is queued and none is sent twice. Knows nothing of what is kept there. Any thread.
 */
import { createRequire } from 'node:module'
import type IoRedis from 'ioredis'
import type { Redis, RedisOptions } from 'ioredis'
import { EngineAway, EngineRefused } from '../errors.ts'
import { limitPeer } from '../peer-limit.ts'
import { shownEngine, type EngineAddress } from './engine-url.ts'

export type EngineArgument = string | number | Buffer
/** Texts are bytes. RESP2, whatever the engine: by RESP3 the same command has other shapes. */
export type EngineReply = Buffer | number | null | readonly EngineReply[]

export type CallEngine =
  (command: string, ...args: readonly EngineArgument[]) => Promise<EngineReply>

export interface EngineParts {
  readonly address: EngineAddress
  /** As CLIENT LIST shows the connection: no spaces. */
  readonly name: string
  /** What this connection needs of the engine before it is used. An answer's error refuses it. */
  readonly prepare?: (call: CallEngine) => Promise<void>
  readonly onReady?: () => void
  /** It cannot be reached, or not any more; once for each reason. It is tried again. */
  readonly onLost?: (reason: string) => void
  /** It can be reached and is not to be used; once for each reason. It is looked at again. */
  readonly onRefused?: (error: Error) => void
}

export interface Engine {
  readonly isReady: boolean
  /**
   * Settles within about a second, and rejects at once when the engine is not ready: EngineAway, or
   * what the engine said (`isAnswer`). One that was not answered may have been carried out.
   */
  readonly call: CallEngine
  /** Ends the connection; what is not answered is rejected. */
  close (): Promise<void>
}

/** Functions came with 7.0, in Redis; Valkey calls itself 7.2 where clients ask so. */
const MAJOR_VERSION_MIN = 7
const SAFE_POLICY = 'noeviction'
const CALL_MS_MAX = 1000
const CONNECT_MS_MAX = 1000
const DISCONNECT_MS_MAX = 200
const RETRY_STEP_MS = 50
const RETRY_MS_MAX = 500
/** Who is refused is not asked as often. */
const REFUSED_RETRY_MS = 2000
const TIMED_OUT = 'timed out'
const require = createRequire(import.meta.url)

export function openEngine (parts: EngineParts): Engine {
  return new EngineConnection(parts)
}

/** Whether the engine itself said so: it was reached. */
export function isAnswer (error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}

class EngineConnection implements Engine {
  readonly #parts: EngineParts
  readonly #client: Redis
  isReady = false
  #isRefused = false
  #isClosed = false
  /** Counts connections: what is learned of an earlier one is not taken for this one's. */
  #connection = 0
  #lastReason: string | undefined
  #lastError: Error | undefined
  /** With a connection that has been made and does not answer. */
  #endLimit = (): void => {}

  constructor (parts: EngineParts) {
    this.#parts = parts
    const { Redis: Client } = require('ioredis') as typeof IoRedis
    this.#client = new Client({
      ...this.#options(), ...placeOf(parts.address), protocol: 2, replyMapping: 'legacy'
    })
    this.#client.on('error', (error: Error) => { this.#lastError = error })
    this.#client.on('connect', () => {
      this.#endLimit = limitPeer(CALL_MS_MAX, () => { this.#giveUp(new Error(TIMED_OUT)) })
    })
    this.#client.on('close', () => {
      this.#endLimit()
      this.#lose()
    })
    this.#client.on('ready', () => {
      this.#endLimit()
      void this.#look(++this.#connection)
    })
  }

  readonly call: CallEngine = (command, ...args) => {
    return this.isReady
      ? this.#send(command, ...args)
      : Promise.reject(new EngineAway(this.#lastReason ?? 'there is no connection yet'))
  }

  close (): Promise<void> {
    this.#isClosed = true
    this.isReady = false
    const { status } = this.#client
    this.#client.disconnect()
    // Between two connections there is none whose end could be waited for.
    if (status === 'end' || status === 'reconnecting') return Promise.resolve()
    return new Promise(resolve => { this.#client.once('end', resolve) })
  }

  readonly #send: CallEngine = async (command, ...args) => {
    try {
      return await this.#inTime(this.#client.callBuffer(command, ...args)) as EngineReply
    } catch (error) {
      throw isAnswer(error) ? error : new EngineAway(reasonOf(error as Error))
    }
  }

  /** In place of the client's own timers, which fire in a busy thread before answers are read. */
  #inTime<T> (reply: Promise<T>): Promise<T> {
    const connection = this.#connection
    return new Promise((resolve, reject) => {
      const endLimit = limitPeer(CALL_MS_MAX, () => {
        const error = new Error(TIMED_OUT)
        if (connection === this.#connection) this.#giveUp(error)
        reject(error)
      })
      reply.then(resolve, reject).finally(endLimit)
    })
  }

  /** It is made anew. */
  #giveUp (error: Error): void {
    this.#lastError = error
    this.#client.disconnect(true)
  }

  #options (): RedisOptions {
    const { address, name } = this.#parts
    return {
      ...(address.username === undefined ? {} : { username: address.username }),
      ...(address.password === undefined ? {} : { password: address.password }),
      db: address.db,
      connectionName: name,
      disableClientInfo: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_MS_MAX,
      disconnectTimeout: DISCONNECT_MS_MAX,
      retryStrategy: times => this.#isRefused
        ? REFUSED_RETRY_MS
        : Math.min(RETRY_STEP_MS * times, RETRY_MS_MAX),
      // It has become a replica: behind the same address another one may be the engine now.
      reconnectOnError: ({ message }) => message.startsWith('READONLY')
    }
  }

  /** A new connection may lead to another engine than the last one. */
  async #look (connection: number): Promise<void> {
    try {
      checkInfo(String(await this.#send('INFO')))
      await this.#parts.prepare?.(this.#send)
      if (connection !== this.#connection || this.#isClosed) return
      this.#isRefused = false
      this.#lastReason = undefined
      this.isReady = true
      this.#parts.onReady?.()
    } catch (error) {
      if (connection !== this.#connection || this.#isClosed) return
      this.#isRefused = !(error instanceof EngineAway)
      if (this.#isRefused) this.#refuse(error as Error)
      this.#giveUp(error as Error)
    }
  }

  #refuse (error: Error): void {
    const { address, onRefused } = this.#parts
    if (error.message === this.#lastReason) return
    this.#lastReason = error.message
    onRefused?.(new EngineRefused(shownEngine(address), error.message))
  }

  #lose (): void {
    this.#connection++
    this.isReady = false
    const reason = reasonOf(this.#lastError)
    this.#lastError = undefined
    if (this.#isClosed || this.#isRefused || reason === this.#lastReason) return
    this.#lastReason = reason
    this.#parts.onLost?.(reason)
  }
}

function placeOf (address: EngineAddress): RedisOptions {
  const { username, password } = address
  const tls = address.isTls ? { tls: {} } : {}
  switch (address.kind) {
    case 'socket': return { path: address.path }
    case 'host': return { host: address.host, port: address.port, family: 0, ...tls }
    case 'sentinels': return {
      sentinels: [...address.sentinels],
      name: address.master,
      ...(username === undefined ? {} : { sentinelUsername: username }),
      ...(password === undefined ? {} : { sentinelPassword: password }),
      sentinelCommandTimeout: CALL_MS_MAX,
      sentinelRetryStrategy: times => Math.min(RETRY_STEP_MS * times, RETRY_MS_MAX),
      ...(address.isTls ? { ...tls, sentinelTLS: {}, enableTLSForSentinelMode: true } : {})
    }
  }
}

/** @param info what INFO says: lines of `name:value` */
function checkInfo (info: string): void {
  const fields = new Map(info.split('\r\n').map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1)] as const
  }))
  const version = fields.get('redis_version') ?? 'unknown'
  if (!(Number.parseInt(version, 10) >= MAJOR_VERSION_MIN)) {
    throw new Error(`its version is ${version}, which has no functions: allowed are Valkey, ` +
      'and Redis from 7.0 on')
  }
  const policy = fields.get('maxmemory_policy')
  if (policy !== undefined && policy !== SAFE_POLICY) {
    throw new Error(`its maxmemory-policy is ${policy}, by which it may forget what the fleet ` +
      `counts: allowed is ${SAFE_POLICY}`)
  }
  if (fields.get('role') === 'slave') throw new Error('it is a replica, which takes no changes')
}

/** In words, where the client has none or its own are about its code. */
function reasonOf (error: Error | undefined): string {
  if (error === undefined) return 'the connection was closed'
  const { message } = error
  if (message === TIMED_OUT) return `no answer within ${CALL_MS_MAX} ms`
  if (message.startsWith('Connection is closed') || message.includes('isn\'t writeable')) {
    return 'the connection was closed'
  }
  return message === 'connect ETIMEDOUT' ? `no connection within ${CONNECT_MS_MAX} ms` : message
}
