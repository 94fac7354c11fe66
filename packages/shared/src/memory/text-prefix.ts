/**
 * Whether the text of an id or an address begins with what somebody typed, found out on the words
 * of a slot: making the text costs a hundred times as much. Pure.
 */
import { COMMIT_ADDRESS_KNOWN, COMMIT_KIND_IP, SLOT } from './layout.ts'

/** Asked of the slot that starts at `here` in `words`. */
export type SlotTest = (words: Int32Array, here: number) => boolean

const UUID_SHAPE = '00000000-0000-0000-0000-000000000000'
const DIGITS_PER_WORD = 8
const WORDS_PER_ID = 4
/** The third word of an IPv4 address in its mapped form; the first two are 0. */
const MAPPED_WORD = 0xffff

/** True for users whose id, or whose address last seen from, begins with `prefix`, any case. */
export function prefixTest (prefix: string): SlotTest {
  const text = prefix.toLowerCase()
  const matchesId = idTest(text)
  const matchesAddress = addressTest(text)
  return (words, here) => {
    const commit = words[here]!
    if ((commit & COMMIT_KIND_IP) !== 0) return matchesAddress(words, here + SLOT.ID)
    return matchesId(words, here + SLOT.ID) ||
      ((commit & COMMIT_ADDRESS_KNOWN) !== 0 && matchesAddress(words, here + SLOT.ADDRESS))
  }
}

/** Compares the digits as bits: each word with the mask of those that were typed. */
function idTest (prefix: string): SlotTest {
  if (!isUuidPrefix(prefix)) return () => false
  const digits = prefix.replaceAll('-', '')
  const masks = new Int32Array(WORDS_PER_ID)
  const wanted = new Int32Array(WORDS_PER_ID)
  for (let word = 0; word < WORDS_PER_ID; word++) {
    const part = digits.slice(word * DIGITS_PER_WORD, (word + 1) * DIGITS_PER_WORD)
    masks[word] = Number(`0x${'f'.repeat(part.length).padEnd(DIGITS_PER_WORD, '0')}`)
    wanted[word] = Number(`0x${part.padEnd(DIGITS_PER_WORD, '0')}`)
  }
  return (words, at) =>
    (words[at]! & masks[0]!) === wanted[0]! && (words[at + 1]! & masks[1]!) === wanted[1]! &&
    (words[at + 2]! & masks[2]!) === wanted[2]! && (words[at + 3]! & masks[3]!) === wanted[3]!
}

function isUuidPrefix (text: string): boolean {
  if (text.length > UUID_SHAPE.length) return false
  return [...text].every((character, at) =>
    UUID_SHAPE[at] === '-' ? character === '-' : /[0-9a-f]/.test(character))
}

function addressTest (prefix: string): SlotTest {
  if (!/^[0-9a-f.:]*$/.test(prefix)) return () => false
  const mayBeIpv4 = /^[0-9.]*$/.test(prefix)
  const mayBeIpv6 = !prefix.includes('.')
  const firstGroup = prefix.split(':', 1)[0]!
  const isGroupWhole = prefix.includes(':')
  return (words, at) => {
    if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED_WORD) {
      return mayBeIpv4 && ipv4Text(words[at + 3]!).startsWith(prefix)
    }
    if (!mayBeIpv6) return false
    // Most addresses are told apart by their first group, whose text is cheap.
    const group = words[at]! >>> 16
    if (group !== 0) {
      const text = group.toString(16)
      if (isGroupWhole ? text !== firstGroup : !text.startsWith(firstGroup)) return false
    }
    return ipv6Text(words, at).startsWith(prefix)
  }
}

function ipv4Text (word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** As formatAddress says it (RFC 5952), in a tenth of its time: a search asks for many. */
function ipv6Text (words: Int32Array, at: number): string {
  const groups: number[] = []
  for (let word = at; word < at + WORDS_PER_ID; word++) {
    groups.push(words[word]! >>> 16, words[word]! & 0xffff)
  }
  const { start, length } = longestZeros(groups)
  const text = (from: number, to: number): string =>
    groups.slice(from, to).map(group => group.toString(16)).join(':')
  return length < 2
    ? text(0, groups.length)
    : `${text(0, start)}::${text(start + length, groups.length)}`
}

/** The first of the longest runs of zeros, which is the one that `::` stands for. */
function longestZeros (groups: readonly number[]): { start: number, length: number } {
  let longest = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start }
  }
  return longest
}
