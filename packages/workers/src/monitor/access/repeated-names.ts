/**
 * Whether an object in a JSON text has a name twice: JSON.parse keeps the last one, and whoever has
 * looked at the text before us may have taken the first (RFC 8259 section 4). Pure.
 */

/** A text and whether it is a name, or a bracket of an object. */
const PART = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/gs

/** @param json well-formed */
export function hasRepeatedName (json: string): boolean {
  const open: Array<Set<string>> = []
  for (const [part, colon] of json.matchAll(PART)) {
    if (part === '{') open.push(new Set())
    else if (part === '}') open.pop()
    else if (colon !== undefined) {
      const names = open.at(-1)!
      const count = names.size
      names.add(JSON.parse(part.slice(0, -colon.length)) as string)
      if (names.size === count) return true
    }
  }
  return false
}
