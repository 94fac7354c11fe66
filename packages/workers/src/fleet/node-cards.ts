/**
 * Which nodes the fleet has, and how each is: every node leaves a card in the engine each second,
 * signed, with what its console shows; one whose card grows old is away since then. Cards are read
 * only while somebody looks. Runs in the monitor's thread.
 */
import type { NodeFacts } from '@usher/shared/api/stats.ts'
import type { Engine, EngineReply } from '@usher/shared/fleet/engine.ts'
import { FleetClock } from '@usher/shared/fleet/fleet-clock.ts'
import { startInterval as startSystemInterval, type StartInterval } from '@usher/shared/interval.ts'
import { limitPeer } from '@usher/shared/peer-limit.ts'
import type { FleetSeal } from './fleet-seal.ts'

export interface NodeCard {
  readonly node: string
  /** When it was written, by the engine's clock. */
  readonly atMs: number
  /** When the node was started, by the engine's clock. */
  readonly startedMs: number
  /** Undefined of a monitor that has only begun. */
  readonly facts: NodeFacts | undefined
}

/** Another node as it is known here. */
export interface KnownNode extends NodeCard {
  readonly isThere: boolean
}

export interface NodeCardsParts {
  readonly node: string
  readonly engine: Pick<Engine, 'call'>
  readonly prefix: string
  readonly seal: FleetSeal
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** When the program started. */
  readonly startedMs: number
  readonly startInterval?: StartInterval
}

const WRITE_MS = 1000
/** A card that is older is of a node that is away: some are missed by a busy machine. */
export const AWAY_MS = 3000
/** Cards are read for so long after somebody has looked. */
const LOOKED_AT_MS = 15_000
/** A node that is away for longer is one no more. */
export const FORGOTTEN_MS = 24 * 3600 * 1000
/** As many servers as one program may have take a third of it. */
const CARD_LENGTH_MAX = 256 * 1024
const FORMAT = 1

export class NodeCards {
  readonly #parts: NodeCardsParts
  readonly #clock: FleetClock
  readonly #key: string
  #known = new Map<string, NodeCard>()
  #facts: (() => NodeFacts) | undefined
  #readMs = -Infinity
  #reading: Promise<void> | undefined
  #lookedMs = -Infinity
  #isWriting = false
  #stop: (() => void) | undefined

  constructor (parts: NodeCardsParts) {
    this.#parts = parts
    this.#clock = new FleetClock(parts.now)
    this.#key = `${parts.prefix}:nodes`
  }

  start (): void {
    this.#stop = (this.#parts.startInterval ?? startSystemInterval)(WRITE_MS, () => {
      void this.#write()
      if (this.#parts.now() - this.#lookedMs < LOOKED_AT_MS) void this.#read()
    })
    void this.#write()
    void this.#read()
  }

  /** What the card says from now on. */
  showFacts (facts: () => NodeFacts): void {
    this.#facts = facts
    void this.#write()
  }

  close (): void {
    this.#stop?.()
  }

  engineNowMs (): number {
    return this.#clock.engineNowMs()
  }

  /** As they are now; as last heard while the engine is away, or is slower than that. */
  async others (withinMs: number): Promise<readonly KnownNode[]> {
    if (this.#parts.now() - this.#readMs >= WRITE_MS) {
      await new Promise<void>(resolve => {
        const endLimit = limitPeer(withinMs, resolve)
        void this.#read().then(resolve).finally(endLimit)
      })
    }
    return this.look()
  }

  /** As last read; from now on they are read each second for a while. */
  look (): readonly KnownNode[] {
    this.#lookedMs = this.#parts.now()
    const nowMs = this.engineNowMs()
    return [...this.#known.values()]
      .map(card => ({ ...card, isThere: this.isHeard && nowMs - card.atMs < AWAY_MS }))
      .sort((one, other) => one.node < other.node ? -1 : 1)
  }

  /** False while nothing is known of the others: the engine is away, or nobody has looked. */
  get isHeard (): boolean {
    return this.#parts.now() - this.#readMs < AWAY_MS
  }

  async #write (): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    const { node, engine, seal, now, startedMs } = this.#parts
    try {
      await this.#setClock()
      const atMs = this.engineNowMs()
      const card: NodeCard = {
        node, atMs, startedMs: Math.round(atMs - (now() - startedMs)), facts: this.#facts?.()
      }
      const text = JSON.stringify([FORMAT, card])
      const kept = text.length <= CARD_LENGTH_MAX
        ? text
        : JSON.stringify([FORMAT, { ...card, facts: { ...card.facts, servers: {} } }])
      await engine.call('HSET', this.#key, node, seal.seal(kept))
    } catch {
      // The engine is away; the next second comes.
    } finally {
      this.#isWriting = false
    }
  }

  async #setClock (): Promise<void> {
    const { engine, now } = this.#parts
    const sentMs = now()
    const [seconds, micros] = await engine.call('TIME') as readonly EngineReply[]
    this.#clock.note(sentMs, now(), Math.floor(Number(seconds) * 1000 + Number(micros) / 1000))
  }

  /** One at a time; never rejects. */
  #read (): Promise<void> {
    this.#reading ??= this.#readOnce().catch(() => {}).finally(() => { this.#reading = undefined })
    return this.#reading
  }

  async #readOnce (): Promise<void> {
    const { node: own, engine, now } = this.#parts
    if (this.#readMs === -Infinity) await this.#setClock()
    const words = await engine.call('HGETALL', this.#key) as readonly EngineReply[]
    const nowMs = this.engineNowMs()
    const over: string[] = []
    for (let at = 0; at < words.length; at += 2) {
      const node = String(words[at])
      const card = node === own ? undefined : this.#opened(node, String(words[at + 1]))
      if (card === undefined) continue
      if (nowMs - card.atMs > FORGOTTEN_MS) over.push(node)
      else this.#known.set(node, card)
    }
    for (const { node, atMs } of [...this.#known.values()]) {
      if (nowMs - atMs > FORGOTTEN_MS) this.#known.delete(node)
    }
    this.#readMs = now()
    if (over.length > 0) await engine.call('HDEL', this.#key, ...over)
  }

  /** Undefined for what is none of this node, of this fleet and of this format. */
  #opened (node: string, sealed: string): NodeCard | undefined {
    if (sealed.length > 2 * CARD_LENGTH_MAX) return undefined
    const text = this.#parts.seal.open(sealed)
    if (text === undefined) return undefined
    const [format, card] = JSON.parse(text) as [number, NodeCard]
    return format === FORMAT && card.node === node ? card : undefined
  }
}
