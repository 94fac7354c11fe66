/**
 * What a node tells and hears, in the engine: a stream of the latest entries, and beside it of each
 * thing the newest entry, so that whoever has missed some of the stream can catch up. Both change
 * in one step, by a script. Knows no secret and no database; the monitor's thread.
 */
import type { Engine, EngineReply } from '@usher/shared/fleet/engine.ts'
import type { Version } from './news-entry.ts'

/** An entry of the stream. */
export interface StreamEntry {
  readonly id: string
  /** One more than that of the entry before it. */
  readonly number: number
  /** As it was sealed. */
  readonly text: string
}

/** Where the stream ends. */
export interface StreamEnd {
  /** Another one when the engine was started empty. */
  readonly life: string
  readonly lastId: string
  readonly lastNumber: number
  /** Whether the entry that was asked for is still there. */
  readonly hasEntry: boolean
}

export interface ToldEntry {
  readonly version: Version
  /** Undefined for what is told and not kept. */
  readonly field: string | undefined
  readonly text: string
}

export interface KeptVersion {
  readonly field: string
  readonly version: Version
}

/** A thing as the engine keeps it. */
export interface KeptEntry extends KeptVersion {
  readonly text: string
}

/** How nodes reach each other. Every method rejects while the engine is away. */
export interface NewsStream {
  /** @param entryId that of the last entry heard */
  end (entryId: string): Promise<StreamEnd>
  /** Of what is kept, only what is newer than what the engine has: telling twice is no harm. */
  tell (entries: readonly ToldEntry[]): Promise<void>
  /** Those after that one; none after a while. */
  read (afterId: string): Promise<readonly StreamEntry[]>
  /** All that is kept, in parts; what changes meanwhile is in the stream as well. */
  kept (): AsyncIterable<readonly KeptEntry[]>
  /** Unless it is newer by now. */
  forget (entries: readonly KeptVersion[]): Promise<void>
  /** By how much the engine's clock is ahead of the wall clock. */
  aheadMs (): Promise<number>
  close (): Promise<void>
}

export interface EngineStreamParts {
  /** Two connections: one is blocked while it waits. */
  readonly engine: Engine
  readonly reading: Engine
  /** Of all keys. */
  readonly prefix: string
  readonly wallNow: () => number
  readonly randomId: () => string
}

/** Some 5 MB; whoever misses more of them catches up by what is kept. */
export const STREAM_ENTRIES_MAX = 10_000
const READ_MAX = 500
const KEPT_PER_STEP = 500
/** Shorter than the connection's time-out. */
const BLOCK_MS = 500
/** In a version's text, so that texts are in the order of times. */
const AT_DIGITS = 16

/**
 * KEYS: stream, kept things (a hash), the life of these data (a hash). ARGV: a life's name if there
 * is none yet, the most entries, then of each entry field (or empty), version, text.
 */
const TELL = `
-- Byte by byte: Lua's own < goes by the locale.
local function isNewer (a, b)
  for i = 1, math.min(#a, #b) do
    if a:byte(i) ~= b:byte(i) then return a:byte(i) > b:byte(i) end
  end
  return #a > #b
end
redis.call('HSETNX', KEYS[3], 'name', ARGV[1])
for i = 3, #ARGV, 3 do
  local field, version, text = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local held = field ~= '' and redis.call('HGET', KEYS[2], field)
  if not held or isNewer(version, held:match('^[^\\n]*')) then
    if field ~= '' then redis.call('HSET', KEYS[2], field, version .. '\\n' .. text) end
    local number = redis.call('HINCRBY', KEYS[3], 'entries', 1)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'number', number, 'text', text)
  end
end
`
/** KEYS: as for TELL. ARGV: a life's name if there is none yet, the id of an entry. */
const END = `
redis.call('HSETNX', KEYS[3], 'name', ARGV[1])
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return {
  redis.call('HGET', KEYS[3], 'name'), last and last[1] or '0-0',
  tonumber(redis.call('HGET', KEYS[3], 'entries') or 0),
  #redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
}
`
/** KEYS: the kept things. ARGV: of each its field and version. */
const FORGET = `
for i = 1, #ARGV, 2 do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  if held and held:match('^[^\\n]*') == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
`

export class EngineStream implements NewsStream {
  readonly #parts: EngineStreamParts
  readonly #stream: string
  readonly #kept: string
  readonly #life: string

  constructor (parts: EngineStreamParts) {
    this.#parts = parts
    this.#stream = `${parts.prefix}:news`
    this.#kept = `${parts.prefix}:news-kept`
    this.#life = `${parts.prefix}:news-life`
  }

  async end (entryId: string): Promise<StreamEnd> {
    const { engine, randomId } = this.#parts
    const [life, lastId, lastNumber, found] = listOf(await engine.call(
      'EVAL', END, 3, this.#stream, this.#kept, this.#life, randomId(), entryId))
    return {
      life: textOf(life),
      lastId: textOf(lastId),
      lastNumber: Number(lastNumber),
      hasEntry: found === 1
    }
  }

  async tell (entries: readonly ToldEntry[]): Promise<void> {
    const { engine, randomId } = this.#parts
    const words = entries.flatMap(({ field = '', version, text }) =>
      [field, versionText(version), text])
    await engine.call('EVAL', TELL, 3, this.#stream, this.#kept, this.#life,
      randomId(), STREAM_ENTRIES_MAX, ...words)
  }

  async read (afterId: string): Promise<readonly StreamEntry[]> {
    const reply = await this.#parts.reading.call(
      'XREAD', 'COUNT', READ_MAX, 'BLOCK', BLOCK_MS, 'STREAMS', this.#stream, afterId)
    if (reply === null) return []
    const [, entries] = listOf(listOf(reply)[0])
    return listOf(entries).map(entry => {
      const [id, words] = listOf(entry)
      const [, number, , text] = listOf(words)
      return { id: textOf(id), number: Number(textOf(number)), text: textOf(text) }
    })
  }

  async * kept (): AsyncGenerator<readonly KeptEntry[]> {
    let cursor = '0'
    do {
      const [next, words] = listOf(await this.#parts.engine.call(
        'HSCAN', this.#kept, cursor, 'COUNT', KEPT_PER_STEP))
      cursor = textOf(next)
      const texts = listOf(words).map(textOf)
      yield texts.flatMap((field, at) => at % 2 === 0 ? [keptEntry(field, texts[at + 1]!)] : [])
    } while (cursor !== '0')
  }

  async forget (entries: readonly KeptVersion[]): Promise<void> {
    await this.#parts.engine.call('EVAL', FORGET, 1, this.#kept,
      ...entries.flatMap(({ field, version }) => [field, versionText(version)]))
  }

  async aheadMs (): Promise<number> {
    const { engine, wallNow } = this.#parts
    const askedMs = wallNow()
    const [seconds, micros] = listOf(await engine.call('TIME'))
    const midwayMs = (askedMs + wallNow()) / 2
    return Number(textOf(seconds)) * 1000 + Number(textOf(micros)) / 1000 - midwayMs
  }

  async close (): Promise<void> {
    await Promise.all([this.#parts.engine.close(), this.#parts.reading.close()])
  }
}

function versionText ({ at, node }: Version): string {
  return `${String(at).padStart(AT_DIGITS, '0')} ${node}`
}

function keptEntry (field: string, stored: string): KeptEntry {
  const end = stored.indexOf('\n')
  const at = Number(stored.slice(0, AT_DIGITS))
  return {
    field, version: { at, node: stored.slice(AT_DIGITS + 1, end) }, text: stored.slice(end + 1)
  }
}

function listOf (reply: EngineReply | undefined): readonly EngineReply[] {
  return reply as readonly EngineReply[]
}

function textOf (reply: EngineReply | undefined): string {
  return String(reply)
}
