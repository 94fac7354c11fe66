/**
 * Everybody who uses the program during a run: clients and operators, each with one request at a
 * time and a little rest between two. Can be paused, so that the table stands still.
 */
import { setTimeout } from 'node:timers/promises'
import { Client } from './client.ts'
import { Operators } from './operators.ts'
import { ServerChanges } from './server-changes.ts'
import type { World } from './world.ts'

/** Operators who only look: the monitor has to hold locks now and then. */
const LOOKERS = 2
const REST_MS_MAX = 200
/** Of every second client: one that a death has lost would be back with its next request. */
const LONG_REST_MS_MAX = 30_000
const OPERATOR_REST_MS_MAX = 100
const CHANGE_REST_MS_MAX = 500

export class Load {
  readonly clients: readonly Client[]
  readonly operators: Operators
  readonly changes: ServerChanges
  readonly #world: World
  #isPaused = false
  #isOver = false
  #acting = 0
  #waiting: Array<() => void> = []

  constructor (world: World, clientCount: number) {
    this.#world = world
    this.clients = Array.from({ length: clientCount }, () => new Client(world))
    this.operators = new Operators(world, this.clients)
    this.changes = new ServerChanges(world, this.operators)
  }

  async start (): Promise<void> {
    await this.operators.start()
    for (const [number, client] of this.clients.entries()) {
      const restMsMax = number % 2 === 0 ? REST_MS_MAX : LONG_REST_MS_MAX
      // All clients start soon.
      this.#live(REST_MS_MAX, restMsMax, async () => { if (!client.isHeld) await client.act() })
    }
    this.#live(OPERATOR_REST_MS_MAX, OPERATOR_REST_MS_MAX, () => this.operators.act())
    this.#live(CHANGE_REST_MS_MAX, CHANGE_REST_MS_MAX, () => this.changes.act())
    for (let looker = 0; looker < LOOKERS; looker++) {
      this.#live(OPERATOR_REST_MS_MAX, OPERATOR_REST_MS_MAX, () => this.operators.look())
    }
  }

  /** Resolves when no request is under way any more. */
  async pause (): Promise<void> {
    this.#isPaused = true
    while (this.#acting > 0) await this.#change()
  }

  resume (): void {
    this.#isPaused = false
    this.#wake()
  }

  /** No new request is begun. */
  end (): void {
    this.#isOver = true
    this.#wake()
  }

  #live (firstRestMsMax: number, restMsMax: number, act: () => Promise<void>): void {
    const live = async (): Promise<void> => {
      let nextRestMsMax = firstRestMsMax
      while (!this.#isOver) {
        await setTimeout(this.#world.random.share() * nextRestMsMax)
        nextRestMsMax = restMsMax
        while (this.#isPaused && !this.#isOver) await this.#change()
        if (this.#isOver) return
        this.#acting++
        try {
          await act()
        } finally {
          this.#acting--
          this.#wake()
        }
      }
    }
    live().catch((error: Error) => { this.#world.complain(error.stack ?? error.message) })
  }

  #change (): Promise<void> {
    return new Promise(resolve => { this.#waiting.push(resolve) })
  }

  #wake (): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
