/** Guesses which name a misspelt one was meant to be. Pure; starts nothing. */
import { createRequire } from 'node:module'
import type Levenshtein from 'fastest-levenshtein'

const require = createRequire(import.meta.url)

/** Letters that may be wrong, missing or too many in a long name; in a short one, half of them. */
const MISTAKES_MAX = 3

/**
 * The known name that the given one was most likely meant to be; undefined when none is near. Case
 * does not count, nor whether words are joined by `-` or `_`.
 */
export function nearMiss (given: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const { closest, distance } = require('fastest-levenshtein') as typeof Levenshtein
  const plain = plainForm(given)
  const plainNames = known.map(plainForm)
  const nearest = closest(plain, plainNames)
  const mistakes = distance(plain, nearest)
  const mistakesMax = Math.min(MISTAKES_MAX, Math.floor(nearest.length / 2))
  if (mistakes > mistakesMax || mistakes >= plain.length) return undefined
  return known[plainNames.indexOf(nearest)]
}

function plainForm (name: string): string {
  return name.toLowerCase().replaceAll(/[-_]+/g, '-').replace(/^-/, '')
}
