/**
 * One entry of what the nodes of a fleet tell each other: a thing by kind and key, its version, and
 * its value or that it is gone; and its text, signed with the fleet's secret. Pure.
 */
import { FleetSeal } from './fleet-seal.ts'

/** Of two versions the later one counts, and of the same millisecond the greater name's. */
export interface Version {
  /** Milliseconds since 1970 by the engine's clock. */
  readonly at: number
  /** Where the change was made. */
  readonly node: string
}

export interface NewsEntry extends Version {
  readonly kind: string
  readonly key: string
  /** What the kind says (news-kinds.ts); null: it is gone. */
  readonly value: object | null
  /** By the engine's clock, after which nobody needs to know of it; null: for good. */
  readonly untilMs: number | null
}

/** An entry of another format is of another Usher, and not understood. */
const FORMAT = 1

/** Whether the first takes the place of the other. Names are ASCII: the engine says the same. */
export function isNewer (one: Version, other: Version | undefined): boolean {
  if (other === undefined || one.at !== other.at) return one.at > (other?.at ?? -Infinity)
  return one.node > other.node
}

export function isSameVersion (one: Version, other: Version | undefined): boolean {
  return one.at === other?.at && one.node === other.node
}

export class NewsSeal {
  readonly #seal: FleetSeal

  constructor (secret: string, cluster: string) {
    this.#seal = new FleetSeal(secret, cluster, 'news')
  }

  /** The entry as it is told. */
  seal ({ kind, key, at, node, value, untilMs }: NewsEntry): string {
    return this.#seal.seal(JSON.stringify([FORMAT, kind, key, at, node, value, untilMs]))
  }

  /** Undefined for a text that this fleet's secret has not signed, or that is of another format. */
  open (sealed: string): NewsEntry | undefined {
    const text = this.#seal.open(sealed)
    if (text === undefined) return undefined
    const [format, kind, key, at, node, value, untilMs] = JSON.parse(text) as
      [number, string, string, number, string, object | null, number | null]
    return format === FORMAT ? { kind, key, at, node, value, untilMs } : undefined
  }
}
