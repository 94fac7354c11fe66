/**
 * Whether the text of an id or an address begins with what an operator typed, tested on the words
 * of a slot: making the text costs a hundred times as much. Pure.
 */
import { COMMIT_ADDRESS_KNOWN, COMMIT_KIND_IP, SLOT_ADDRESS, SLOT_ID } from './layout.ts'

/** Asked of the slot that starts at `here` in `words`. */
export type SlotTest = (words: Int32Array, here: number) => boolean

const UUID_SHAPE = '00000000-0000-0000-0000-000000000000'
const DIGITS_PER_WORD = 8
const WORDS_PER_ID = 4
/** The third word of an IPv4 address in its mapped form; the first two are 0. */
const MAPPED_WORD = 0xffff
const GROUPS = 8
/** Eight groups of four digits and seven colons. */
const ADDRESS_CHARACTERS_MAX = 39
const ZERO = 0x30
const LOWER_A = 0x61
const DOT = 0x2e
const COLON = 0x3a

/** True for users whose id, or whose address last seen from, begins with `prefix`, any case. */
export function prefixTest (prefix: string): SlotTest {
  const text = prefix.toLowerCase()
  const matchesId = idTest(text)
  const matchesAddress = addressTest(text)
  return (words, here) => {
    const commit = words[here]!
    if ((commit & COMMIT_KIND_IP) !== 0) return matchesAddress(words, here + SLOT_ID)
    return matchesId(words, here + SLOT_ID) ||
      ((commit & COMMIT_ADDRESS_KNOWN) !== 0 && matchesAddress(words, here + SLOT_ADDRESS))
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

/** Writes the text of each address into one small array and compares: no string is made. */
function addressTest (prefix: string): SlotTest {
  if (!/^[0-9a-f.:]*$/.test(prefix) || prefix.length > ADDRESS_CHARACTERS_MAX) return () => false
  const wanted = Uint8Array.from(prefix, character => character.charCodeAt(0))
  const text = new Uint8Array(ADDRESS_CHARACTERS_MAX)
  const mayBeIpv4 = !/[a-f:]/.test(prefix)
  const mayBeIpv6 = !prefix.includes('.')
  return (words, at) => {
    const isIpv4 = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED_WORD
    if (!(isIpv4 ? mayBeIpv4 : mayBeIpv6)) return false
    const length = isIpv4 ? writeIpv4(words[at + 3]!, text) : writeIpv6(words, at, text)
    if (length < wanted.length) return false
    for (let i = 0; i < wanted.length; i++) if (text[i] !== wanted[i]) return false
    return true
  }
}

/** Both write the characters of an address into `text` and return how many there are. */
function writeIpv4 (word: number, text: Uint8Array): number {
  let length = 0
  for (let shift = 24; shift >= 0; shift -= 8) {
    const byte = (word >>> shift) & 255
    if (byte >= 100) text[length++] = ZERO + Math.floor(byte / 100)
    if (byte >= 10) text[length++] = ZERO + Math.floor(byte / 10) % 10
    text[length++] = ZERO + byte % 10
    if (shift > 0) text[length++] = DOT
  }
  return length
}

/** As formatAddress says it: RFC 5952 section 4. */
function writeIpv6 (words: Int32Array, at: number, text: Uint8Array): number {
  const zeros = longestZeros(words, at)
  let length = 0
  let group = 0
  while (group < GROUPS) {
    if (group > 0) text[length++] = COLON
    if (group === zeros.start && zeros.length > 1) {
      if (group === 0) text[length++] = COLON
      group += zeros.length
      if (group === GROUPS) text[length++] = COLON
      continue
    }
    const value = groupOf(words, at, group++)
    for (let shift = 12; shift >= 0; shift -= 4) {
      if (shift > 0 && value >>> shift === 0) continue
      const digit = (value >>> shift) & 15
      text[length++] = digit < 10 ? ZERO + digit : LOWER_A + digit - 10
    }
  }
  return length
}

/** The first of the longest runs of zeros, which is the one that `::` stands for. */
function longestZeros (words: Int32Array, at: number): { start: number, length: number } {
  let longestStart = 0
  let longest = 0
  let start = 0
  for (let group = 0; group < GROUPS; group++) {
    if (groupOf(words, at, group) !== 0) start = group + 1
    else if (group + 1 - start > longest) {
      longestStart = start
      longest = group + 1 - start
    }
  }
  return { start: longestStart, length: longest }
}

/** One of the eight groups of 16 bits. */
function groupOf (words: Int32Array, at: number, group: number): number {
  const word = words[at + (group >> 1)]!
  return (group & 1) === 0 ? word >>> 16 : word & 0xffff
}
