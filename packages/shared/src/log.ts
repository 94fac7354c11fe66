/**
 * The log: JSON lines to a file, and to the console pretty for a terminal or JSON for a pipe. Every
 * thread opens its own; lines are appended whole. A full disk or a closed console loses lines,
 * never the service: writes are synchronous, and what cannot be written is not kept. When one of
 * the two loses lines, the other one says so. pino is loaded with the first line, not with the
 * thread: a server has nothing to say before it serves.
 */
import { fstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type Pino from 'pino'
import type { Logger, DestinationStream, LevelWithSilent } from 'pino'
import type PinoPretty from 'pino-pretty'
import { LogOutlet } from './log-outlet.ts'
import {
  allocateLogLosses, LogLosses, type LogLossesMemory, type LogPlace
} from './memory/log-losses.ts'
import { withPlaces } from './stack-places.ts'
import { visibleText } from './visible-text.ts'

export interface LogOptions {
  /** Which thread logs: `coordinator`, `server 8000`, `monitor`. */
  readonly thread: string
  readonly level: string
  /** Absolute path; undefined for no file. */
  readonly file: string | undefined
  readonly isTerminal: boolean
  /** True if left out; false for the account command, which prints its own messages. */
  readonly hasConsole?: boolean
  /** All threads of a program share one; of its own if left out. */
  readonly losses?: LogLossesMemory
  /** Keeps what is no warning until `load` is called, for a start that has no time for pino. */
  readonly isHeld?: boolean
}

/** As pino has it, and what log rotation needs. */
export type ProgramLog = Logger & {
  /**
   * Goes on in a new file when the one it writes to was renamed or removed. Throws when that cannot
   * be opened, and goes on in the old one.
   */
  reopenFile (): void
  /** Loads pino now, where its time is to spare, and writes the lines that were held. */
  load (): void
}

/** The name of the thread that owns the console. */
const MAIN_THREAD = 'coordinator'
const STDOUT = 1
const PRIVATE_FILE_MODE = 0o600

/** As pino numbers them. */
const LEVELS: Readonly<Record<LevelWithSilent, number>> = {
  trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity
}
const HELD_LEVELS = ['debug', 'info'] as const
const HELD_LINES_MAX = 1000
const require = createRequire(import.meta.url)

/** Throws when the file cannot be opened. */
export function openLog ({
  thread, level, file, isTerminal, hasConsole = true, losses = allocateLogLosses(), isHeld = false
}: LogOptions): ProgramLog {
  const fd = file === undefined ? undefined : openFile(file)
  let outlet: LogOutlet | undefined
  return lazyLog(level as LevelWithSilent, isHeld, (level, now) => {
    const pino = loadPino()
    const streams = pino.multistream([])
    const log = pino({
      level,
      base: { pid: process.pid, thread },
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      serializers: { err: serializeError },
      hooks: { streamWrite: withoutControlCharacters }
    }, streams)
    const add = (place: LogPlace, fd: number): LogOutlet => new LogOutlet({
      fd,
      losses: new LogLosses(losses, place),
      onLoss: ({ message }) => { log.error({ reason: message }, `log lines are lost: ${LOST[place]}`) },
      onOver: lostLines => { log.warn({ lostLines }, `resolved: log lines were lost: ${LOST[place]}`) }
    })
    if (hasConsole) {
      const console = add('console', STDOUT)
      streams.add({ level: 'trace', stream: isTerminal ? pretty(console) : console })
    }
    outlet = fd === undefined ? undefined : add('file', fd)
    if (outlet !== undefined) streams.add({ level: 'trace', stream: outlet })
    return log
  }, log => {
    log.load()
    if (outlet !== undefined && isMoved(outlet.fd, file!)) outlet.switchTo(openFile(file!))
  })
}

/**
 * What it stands for is made when something is to be logged; until then it knows its level only.
 */
function lazyLog (
  level: LevelWithSilent, isHeld: boolean,
  make: (level: LevelWithSilent, now: () => number) => Logger,
  reopenFile: (log: ProgramLog) => void
): ProgramLog {
  let made: Logger | undefined
  const held: HeldLine[] = []
  let heldMs: number | undefined
  const load = (): Logger => {
    if (made !== undefined) return made
    made = make(level, () => heldMs ?? Date.now())
    for (const { level, words, atMs } of held.splice(0)) {
      heldMs = atMs
      made[level](...words)
    }
    heldMs = undefined
    return made
  }
  const hold = (level: HeldLevel) => (...words: HeldLine['words']): void => {
    if (LEVELS[level] >= LEVELS[own.level]) held.push({ level, words, atMs: Date.now() })
    if (held.length === HELD_LINES_MAX) load()
  }
  const own = {
    load (): void { load() },
    reopenFile (): void { reopenFile(log) },
    isLevelEnabled: (asked: LevelWithSilent) =>
      made?.isLevelEnabled(asked) ?? LEVELS[asked] >= LEVELS[level],
    get level () { return made?.level as LevelWithSilent ?? level },
    set level (wanted) {
      level = wanted
      if (made !== undefined) made.level = wanted
    }
  }
  const log = new Proxy(own, {
    get (own, key) {
      if (key in own) return own[key as keyof typeof own]
      if (isHeld && made === undefined && isHeldLevel(key)) return hold(key)
      const value: unknown = Reflect.get(load(), key)
      return typeof value === 'function' ? value.bind(made) as unknown : value
    }
  }) as unknown as ProgramLog
  return log
}

type HeldLevel = typeof HELD_LEVELS[number]

interface HeldLine {
  readonly level: HeldLevel
  readonly words: Parameters<Logger['info']>
  readonly atMs: number
}

function isHeldLevel (key: string | symbol): key is HeldLevel {
  return HELD_LEVELS.includes(key as HeldLevel)
}

function loadPino (): typeof Pino {
  return require('pino') as typeof Pino
}

/** A pipe or a device is not: to open one again may wait for its reader. */
function isMoved (fd: number, file: string): boolean {
  const [own, there] = [fstatSync(fd), statSync(file, { throwIfNoEntry: false })]
  return own.isFile() && (there?.dev !== own.dev || there.ino !== own.ino)
}

const LOST: Readonly<Record<LogPlace, string>> = {
  console: 'the console cannot be written',
  file: 'LOG_FILE cannot be written'
}

/** For tests and for parts that are told to be silent. */
export function silentLog (): ProgramLog {
  return lazyLog('silent', false, level => loadPino()({ level }), () => {})
}

/**
 * Makes unseen characters visible, those that JSON leaves raw and those that it escapes but a
 * pretty printer would restore: what a client sends must neither steer an operator's terminal nor
 * show its text in another order.
 */
export function withoutControlCharacters (line: string): string {
  return visibleText(line, '\\\\')
    .replace(ESCAPE, escape => ESCAPED_CONTROL.test(escape) ? `\\${escape}` : escape)
}

/** Any escape of JSON, so that the second half of an escaped backslash is not taken for one. */
const ESCAPE = /\\(?:u[0-9a-f]{4}|[^u])/gi
const ESCAPED_CONTROL = /^\\(?:[bfnrt]|u00[01].|u007f|u00[89].|u202[89])$/i

/** The stack as a list of lines: in one text its line feeds would be made visible too. */
function serializeError (error: Error): object {
  const serialized = loadPino().stdSerializers.err(error)
  if (typeof serialized?.stack !== 'string') return serialized
  return Object.assign(serialized, { stack: withPlaces(serialized.stack).split('\n') })
}

function openFile (file: string): number {
  mkdirSync(dirname(file), { recursive: true })
  return openSync(file, 'a', PRIVATE_FILE_MODE)
}

/** Most lines are the coordinator's; they need no name. */
function nameThread (line: Record<string, unknown>, messageKey: string): string {
  const message = String(line[messageKey])
  return line['thread'] === MAIN_THREAD ? message : `${message} (${String(line['thread'])})`
}

/** pino-pretty is loaded only for a terminal: it takes 30 ms. */
function pretty (console: DestinationStream): DestinationStream {
  const { prettyFactory } = require('pino-pretty') as typeof PinoPretty
  const prettify = prettyFactory({
    colorize: process.stdout.hasColors?.() ?? true,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname,thread',
    messageFormat: nameThread,
    singleLine: true
  })
  return { write: line => { console.write(prettify(line)) } }
}
