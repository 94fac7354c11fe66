/** What EngineStream does, in memory: an engine that can be away, lose entries, start empty. */
import { setTimeout } from 'node:timers/promises'
import { isNewer } from '../../src/fleet/news-entry.ts'
import type {
  KeptEntry, NewsStream, StreamEnd, StreamEntry, ToldEntry
} from '../../src/fleet/news-stream.ts'

const KEPT_PER_STEP = 3
const BLOCK_MS = 5

export class FakeEngine {
  isAway = false
  /** It does what it is told, and its answer is lost. */
  isMute = false
  readonly #entriesMax: number
  entries: StreamEntry[] = []
  #kept = new Map<string, KeptEntry>()
  #life = 1
  #count = 0

  constructor (entriesMax = Infinity) {
    this.#entriesMax = entriesMax
  }

  /** As after a crash without persistence. */
  startEmpty (): void {
    this.entries = []
    this.#kept = new Map()
    this.#life++
    this.#count = 0
  }

  stream (): NewsStream {
    return {
      end: async id => this.#answer(this.#end(id)),
      tell: async entries => {
        this.#answer(undefined)
        for (const entry of entries) this.#tell(entry)
        if (this.isMute) throw new Error('no answer')
      },
      read: async afterId => {
        const found = this.#after(afterId)
        if (found.length === 0) await setTimeout(BLOCK_MS)
        return this.#answer(found)
      },
      kept: () => this.#all(),
      forget: async gone => {
        for (const { field, version } of this.#answer(gone)) {
          const held = this.#kept.get(field)
          if (held !== undefined && !isNewer(held.version, version)) this.#kept.delete(field)
        }
      },
      aheadMs: async () => this.#answer(0),
      close: async () => {}
    }
  }

  #answer<T> (value: T): T {
    if (this.isAway) throw new Error('the engine is away')
    return value
  }

  #end (id: string): StreamEnd {
    return {
      life: `life ${this.#life}`,
      lastId: this.entries.at(-1)?.id ?? '0-0',
      lastNumber: this.#count,
      hasEntry: this.entries.some(entry => entry.id === id)
    }
  }

  #tell ({ field, version, text }: ToldEntry): void {
    if (field !== undefined) {
      const held = this.#kept.get(field)
      if (held !== undefined && !isNewer(version, held.version)) return
      this.#kept.set(field, { field, version, text })
    }
    this.#count++
    this.entries.push({ id: `${this.#life}-${this.#count}`, number: this.#count, text })
    if (this.entries.length > this.#entriesMax) this.entries.shift()
  }

  #after (afterId: string): readonly StreamEntry[] {
    const [life, number] = afterId.split('-').map(Number)
    return this.entries.filter(entry => {
      const [ofLife, ofNumber] = entry.id.split('-').map(Number)
      return ofLife! > life! || (ofLife === life && ofNumber! > number!)
    })
  }

  async * #all (): AsyncGenerator<readonly KeptEntry[]> {
    const all = [...this.#kept.values()]
    for (let at = 0; at < all.length; at += KEPT_PER_STEP) {
      yield this.#answer(all.slice(at, at + KEPT_PER_STEP))
    }
  }
}
