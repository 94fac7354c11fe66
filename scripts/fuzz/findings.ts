/**
 * What was found: each kind of wrong once, in a file with the inputs that it takes, and on the
 * console with how to repeat it. Bounded, whatever goes wrong.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lineOf, targetOf, type Finding } from './inputs.ts'

const FILES_MAX = 50
/** Of a finding on the console. */
const SHOWN_LENGTH_MAX = 1000

export class Findings {
  readonly #folder: string
  readonly #print: (text: string) => void
  readonly #countByKind = new Map<string, number>()

  constructor (folder: string, print: (text: string) => void) {
    this.#folder = folder
    this.#print = print
  }

  /** The same again and again counts once. */
  get count (): number {
    return this.#countByKind.size
  }

  readonly add = ({ wrong, inputs }: Finding): void => {
    const targets = [...new Set(inputs.map(targetOf))]
    // Figures differ from time to time; what is wrong is the same.
    const kind = `${targets.length === 1 ? targets[0] : 'several'}: ${wrong.slice(0, 200).replaceAll(/\d+/g, '#')}`
    const count = (this.#countByKind.get(kind) ?? 0) + 1
    this.#countByKind.set(kind, count)
    if (count > 1 || this.#countByKind.size > FILES_MAX) return
    const shown = wrong.slice(0, SHOWN_LENGTH_MAX)
    if (inputs.length === 0) return this.#print(`FOUND in the run as a whole: ${shown}`)
    mkdirSync(this.#folder, { recursive: true })
    const path = join(this.#folder, `${this.#countByKind.size}.jsonl`)
    const lines = inputs.map((input, at) => lineOf(at === 0 ? { ...input, note: wrong } : input))
    writeFileSync(path, `${lines.join('\n')}\n`)
    this.#print(`FOUND ${targets.join(', ')}: ${shown}\n` +
      `  repeat it by: npm run fuzz -- --replay ${path}`)
  }
}
