/**
 * What a running program takes of the machine, seen from outside: memory, the heap of each of its
 * threads after a collection, open descriptors. Linux: from /proc.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { TOOLS_DIR } from '../kit/places.ts'

export interface ProcessFigures {
  readonly residentBytes: number
  /** Of the main thread and the named workers together, Buffers included. */
  readonly heapBytes: number
  readonly descriptors: number
}

const POLL_MS = 20
/** Threads look for the question many times a second; a busy machine lets them wait. */
const HEAP_MS_MAX = 60_000

/** Asks a program that was started with `nodeOptions` and `env`. */
export class ProcessProbe {
  readonly #folder = mkdtempSync(join(tmpdir(), 'usher-heap-'))
  #asked = 0

  get env (): Record<string, string> {
    return { HEAP_DIR: this.#folder }
  }

  get nodeOptions (): string {
    return `--import=${pathToFileURL(join(TOOLS_DIR, 'thread-heap.js')).href}`
  }

  /** @param threadCount main thread and named workers. Rejects when the program has ended. */
  async figures (pid: number, threadCount: number): Promise<ProcessFigures> {
    const heapBytes = await this.#heapBytes(threadCount)
    return { residentBytes: residentBytes(pid), heapBytes, descriptors: descriptorCount(pid) }
  }

  close (): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #heapBytes (threadCount: number): Promise<number> {
    const asked = String(++this.#asked)
    writeFileSync(join(this.#folder, 'ask'), asked)
    const endMs = performance.now() + HEAP_MS_MAX
    for (;;) {
      const heaps = this.#answers().filter(answer => answer.asked === asked)
      if (heaps.length >= threadCount) {
        return heaps.reduce((sum, heap) => sum + heap.heapBytes + heap.externalBytes, 0)
      }
      if (performance.now() > endMs) {
        throw new Error(`${heaps.length} of ${threadCount} threads told their heap in time`)
      }
      await wait(POLL_MS)
    }
  }

  #answers (): HeapAnswer[] {
    return readdirSync(this.#folder)
      .filter(name => name !== 'ask' && !name.endsWith('.new'))
      .map(name => JSON.parse(readFileSync(join(this.#folder, name), 'utf8')) as HeapAnswer)
  }
}

interface HeapAnswer {
  readonly asked: string
  readonly heapBytes: number
  readonly externalBytes: number
}

function residentBytes (pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

function descriptorCount (pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
