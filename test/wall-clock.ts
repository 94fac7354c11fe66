/** The wall clock of a program under test, set while it runs: see fixtures/wall-clock.mjs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartOptions } from './cluster.ts'

const PRELOAD = `--import=${new URL('fixtures/wall-clock.mjs', import.meta.url).href}`
/** Of every text, so that a shorter one leaves nothing of a longer one behind. */
const TEXT_LENGTH = 64

export class WallClock {
  readonly #file: string

  /** Goes as the machine's to begin with. */
  constructor (dir: string) {
    this.#file = join(dir, 'wall-clock.json')
    this.#write({ offsetMs: 0 }, 'w')
  }

  /** For a program that goes by this clock. */
  get settings (): Record<string, string> {
    return { WALL_CLOCK: this.#file }
  }

  get options (): StartOptions {
    return { nodeOptions: PRELOAD }
  }

  /** In force in every thread of the program when it returns. */
  set (wall: Wall): void {
    this.#write(wall, 'r+')
  }

  #write (wall: Wall, flag: string): void {
    writeFileSync(this.#file, JSON.stringify(wall).padEnd(TEXT_LENGTH), { flag })
  }
}

/** Beside the machine's clock, or standing still. */
type Wall = { readonly offsetMs: number } | { readonly frozenMs: number }
