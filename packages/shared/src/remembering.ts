/**
 * Remembers what a pure function has made of the texts that come again and again. A client that
 * sends ever new ones cannot fill memory: when there are too many, all are forgotten. Pure.
 */

/** Longer texts are not remembered, and neither is it that nothing was made of one. */
const LENGTH_MAX = 128

/** The same function with a memory. @param countMax so many texts are remembered */
export function remembering<T> (countMax: number, make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return text => {
    const remembered = known.get(text)
    if (remembered !== undefined) return remembered
    const made = make(text)
    if (made === undefined || text.length > LENGTH_MAX) return made
    if (known.size >= countMax) known.clear()
    known.set(text, made)
    return made
  }
}
