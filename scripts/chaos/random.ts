/** Repeatable chance: the same seed gives the same numbers. Owns nothing but its state. */

/** 0 to below 1. */
export type Random = () => number

/** Mulberry32: 32 bits of state, good enough to choose who dies. */
export function seededRandom (seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `min` to `max`, both included. */
export function wholeBetween (random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1))
}

export function oneOf<T> (random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!
}

export function shuffled<T> (random: Random, items: readonly T[]): T[] {
  const keys = items.map(item => ({ item, key: random() }))
  return keys.sort((a, b) => a.key - b.key).map(({ item }) => item)
}

/** One of the names, each as often as its weight says. */
export function oneByWeight<K extends string | number> (
  random: Random, weights: Readonly<Record<K, number>>
): `${K}` {
  const entries = Object.entries<number>(weights) as Array<[`${K}`, number]>
  const sum = entries.reduce((total, [, weight]) => total + weight, 0)
  let at = random() * sum
  for (const [name, weight] of entries) {
    at -= weight
    if (at < 0) return name
  }
  return entries.at(-1)![0]
}
