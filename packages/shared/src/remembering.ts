/**
 * Remembers what a pure function has made of the texts that come again and again. A client that
 * sends ever new ones cannot fill memory: when there are too many, all are forgotten. And keeps
 * what was made of an object until it is another one. Pure.
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

/** Makes something anew only when what it is made of is another object. */
export function whileSame<S, T> (source: () => S, make: () => T): () => T {
  let last = source()
  let made = make()
  return () => {
    const present = source()
    if (present === last) return made
    last = present
    return (made = make())
  }
}
