/**
 * The fleet's servers as this node knows them, and what the engine still has to hear of its own.
 * Owns no connection. Main thread.
 */
import type { FleetIndex } from '@usher/shared/fleet/packed-texts.ts'
import type { JoiningServer, ViewAnswer } from '@usher/shared/fleet/usher-library.ts'

/** A server of this node. */
export interface NodeServer {
  /** In this node's table. */
  readonly index: number
  readonly name: string
  /** As redirects use it: origin and base path. */
  readonly url: string
  /** As the settings have them; undefined: not given. */
  readonly weight: number | undefined
  readonly capacity: number | undefined
  /** How much of its weight it has now, 1 to 100: less while it starts slowly. */
  readonly weightPercent: number
  /** Takes visitors: it is up and does not drain. */
  readonly isAvailable: boolean
  /** Users active there. */
  readonly active: number
}

/** A server as the whole fleet knows it. */
export interface FleetServer {
  /** NODE/NAME */
  readonly name: string
  readonly url: string
  /** Its index in this node's table, if it is this node's. */
  readonly ownIndex: number | undefined
}

/** What the engine does not know yet. `settle` is to be called when it does. */
export type ServerChanges =
  | { readonly kind: 'none' }
  | {
    readonly kind: 'shares'
    readonly shares: ReadonlyArray<readonly [index: FleetIndex, share: number]>
    readonly settle: () => void
  }
  | {
    readonly kind: 'join'
    readonly servers: readonly JoiningServer[]
    /** Returns whether the node was not in the fleet before. */
    readonly settle: (number: number, indexes: readonly FleetIndex[]) => boolean
  }

export class FleetServers {
  readonly #node: string
  readonly #own: () => readonly NodeServer[]
  /** As the engine was told last; undefined: it has to be told all. */
  #told: readonly JoiningServer[] | undefined
  #number = 0
  #isOpen = true
  #view = -1
  readonly #ownByFleetIndex = new Map<FleetIndex, number>()
  readonly #fleetByOwnIndex = new Map<number, FleetIndex>()
  #byIndex: ReadonlyMap<FleetIndex, FleetServer> = new Map()
  #byName: ReadonlyMap<string, FleetServer> = new Map()
  #indexes: ReadonlyMap<string, FleetIndex> = new Map()

  constructor (node: string, own: () => readonly NodeServer[]) {
    this.#node = node
    this.#own = own
  }

  /** The node's own, as the engine counts nodes. */
  get number (): number {
    return this.#number
  }

  /** The version that was seen last. */
  get view (): number {
    return this.#view
  }

  /** Whether one of this node's took visitors when its changes were looked at last. */
  get isOpen (): boolean {
    return this.#isOpen
  }

  get byName (): ReadonlyMap<string, FleetServer> {
    return this.#byName
  }

  at (index: FleetIndex): FleetServer | undefined {
    return this.#byIndex.get(index)
  }

  indexOf (name: string | undefined): FleetIndex | undefined {
    return name === undefined ? undefined : this.#indexes.get(name)
  }

  ownIndexOf (index: FleetIndex): number | undefined {
    return this.#ownByFleetIndex.get(index)
  }

  fleetIndex (ownIndex: number): FleetIndex | undefined {
    return this.#fleetByOwnIndex.get(ownIndex)
  }

  /** The fleet's name of a server of this node; undefined where there is none. */
  nameOf (ownIndex: number): string | undefined {
    const server = this.#own().find(({ index }) => index === ownIndex)
    return server === undefined ? undefined : `${this.#node}/${server.name}`
  }

  activeUsers (): ReadonlyArray<readonly [FleetIndex, number]> {
    return this.#own().flatMap(({ index, active }) => {
      const fleetIndex = this.#fleetByOwnIndex.get(index)
      return fleetIndex === undefined ? [] : [[fleetIndex, active] as const]
    })
  }

  changes (): ServerChanges {
    const own = this.#own()
    const servers = own.map(joining)
    this.#isOpen = servers.some(({ share }) => share > 0)
    const told = this.#told
    const isSame = told?.length === servers.length &&
      servers.every((server, at) => isSameBut(server, told[at]!))
    if (!isSame) {
      return {
        kind: 'join', servers, settle: (number, indexes) => this.#join(own, servers, number, indexes)
      }
    }
    const changed = servers.filter(({ share }, at) => share !== told[at]!.share)
    if (changed.length === 0) return { kind: 'none' }
    return {
      kind: 'shares',
      shares: changed.map(({ name, share }) => {
        const { index } = own.find(server => server.name === name)!
        return [this.#fleetByOwnIndex.get(index)!, share] as const
      }),
      settle: () => { this.#told = servers }
    }
  }

  /** The engine does not know this node any more. */
  forgetJoin (): void {
    this.#told = undefined
    this.#number = 0
  }

  see ({ view, servers }: ViewAnswer): void {
    this.#view = view
    const seen = servers.map(({ index, node, name, url }) => {
      const ownIndex = node === this.#node ? this.#ownByFleetIndex.get(index) : undefined
      return { index, server: { name: `${node}/${name}`, url, ownIndex } }
    })
    this.#byIndex = new Map(seen.map(({ index, server }) => [index, server]))
    this.#byName = new Map(seen.map(({ server }) => [server.name, server]))
    this.#indexes = new Map(seen.map(({ index, server }) => [server.name, index]))
  }

  #join (
    own: readonly NodeServer[], servers: readonly JoiningServer[], number: number,
    indexes: readonly FleetIndex[]
  ): boolean {
    const isNew = number !== this.#number
    this.#told = servers
    this.#number = number
    this.#ownByFleetIndex.clear()
    this.#fleetByOwnIndex.clear()
    for (const [at, { index }] of own.entries()) {
      this.#ownByFleetIndex.set(indexes[at]!, index)
      this.#fleetByOwnIndex.set(index, indexes[at]!)
    }
    return isNew
  }
}

/**
 * A share is a hundredth of the weight, or of the capacity where no weight is given: all of a fleet
 * fill up together then.
 */
function joining (server: NodeServer): JoiningServer {
  const { name, url, weight, capacity, weightPercent, isAvailable } = server
  const share = isAvailable ? (weight ?? capacity ?? 1) * weightPercent : 0
  return { name, url, capacity, share }
}

/** Whether only the share differs, if anything. */
function isSameBut (a: JoiningServer, b: JoiningServer): boolean {
  return a.name === b.name && a.url === b.url && a.capacity === b.capacity
}
