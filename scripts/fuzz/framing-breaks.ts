/**
 * What can be wrong about where a request ends, and about its bytes as such: lengths, chunks, line
 * ends, and any byte anywhere. On the wire's text, which is Latin-1. Pure.
 */
import type { Random } from '../kit/random.ts'
import { nastyNumber, nastyText } from './nasty-values.ts'

type WireBreak = (wire: string, random: Random) => string

const FRAMING_BREAKS: readonly WireBreak[] = [
  wrongLength, wrongCoding, wrongChunks, otherLineEnds, foldedLine, secondHead, preface
]
const BYTE_BREAKS: readonly WireBreak[] = [
  flipBit, setByte, insertBytes, deleteSlice, repeatSlice, swapSlices, replaceNumber, cutOff
]
const SLICE_MAX = 64
const REPEATS_MAX = 200
const BYTE_BREAKS_MAX = 4
/** What is longer is not repeated: three breaks in a row would make gigabytes of it. */
const WIRE_BYTES_MAX = 1 << 20

/** The head, or what stands for it, has one thing wrong that says where it ends. */
export function breakFraming (wire: string, random: Random): string {
  return random.pick(FRAMING_BREAKS)(wire, random)
}

/** A few bytes are others, anywhere; `other` is what may be grafted on. */
export function breakBytes (wire: string, other: string, random: Random): string {
  if (random.chance(0.15)) return splice(wire, other, random)
  let broken = wire
  const count = random.between(1, BYTE_BREAKS_MAX)
  for (let at = 0; at < count; at++) broken = random.pick(BYTE_BREAKS)(broken, random)
  return broken
}

/** At up to three places, as a network may. */
export function cutUp (wire: string, random: Random): string[] {
  const count = random.between(1, 3)
  const places = Array.from({ length: count }, () => random.between(0, wire.length))
  const ends = [...places.sort((a, b) => a - b), wire.length]
  return ends.map((end, at) => wire.slice(at === 0 ? 0 : ends[at - 1]!, end))
    .filter(piece => piece !== '')
}

function wrongLength (wire: string, random: Random): string {
  const length = random.pick([
    '0', '1', '1024', '1025', '16384', '16385', '-1', '+5', '5,5', '5, 6', '', ' ', '0x5', '1e3', '5 5',
    '00005', '4294967296', nastyNumber(random)
  ])
  const field = `Content-Length: ${length}\r\n`
  if (random.chance(0.5)) return wire.replace(/Content-Length: \d+\r\n/, () => field)
  return afterFirstLine(wire, field)
}

function wrongCoding (wire: string, random: Random): string {
  const coding = random.pick([
    'chunked', 'Chunked', 'identity', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', '', ',',
    'chunked;a=b', ' chunked', '\x0bchunked', 'xchunked', 'chunked\0', nastyText(random)
  ])
  const name = random.pick(['Transfer-Encoding', 'transfer-encoding', 'Transfer-Encoding ', 'Transfer_Encoding'])
  return afterFirstLine(wire, `${name}: ${coding}\r\n`)
}

function wrongChunks (wire: string, random: Random): string {
  const chunk = random.pick([
    '0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', '5\r\nhell\r\n0\r\n\r\n', '5\r\nhello', 'g\r\n', '-1\r\n', '\r\n',
    'ffffffffffffffff\r\n', '0x5\r\nhello\r\n0\r\n\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n', '5 \r\nhello\r\n0\r\n\r\n',
    `5;${'x'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`, '0\r\nTrailer: x\r\n\r\n', '5\nhello\n0\n\n',
    '1\r\na\r\n'.repeat(3000), '0\r\nHost: evil.example\r\n\r\n', '5\r\nhelloXX0\r\n\r\n'
  ])
  const [head] = afterFirstLine(wire, 'Transfer-Encoding: chunked\r\n').split('\r\n\r\n', 1)
  return `${head!.replace(/Content-Length: \d+\r\n/g, '')}\r\n\r\n${chunk}`
}

function otherLineEnds (wire: string, random: Random): string {
  const [end, by] = random.pick([
    ['\r\n', '\n'], ['\r\n', '\r'], ['\r\n', '\r\r\n'], ['\r\n', '\n\r'], ['\r\n\r\n', '\r\n\n'],
    ['\r\n\r\n', '\r\n \r\n\r\n'], ['\r\n', ' \r\n'], [' ', '\t'], [' ', '  '], [': ', ':'], [': ', ' : ']
  ] as const)
  return random.chance(0.5) ? wire.replace(end, by) : wire.replaceAll(end, by)
}

function foldedLine (wire: string, random: Random): string {
  return afterFirstLine(wire, random.pick([
    ' folded\r\n', '\tfolded\r\n', 'no colon\r\n', ': no name\r\n', 'X: a\r\n b\r\n', '\r\n', '\0\r\n', 'X\r\n'
  ]))
}

/** Smuggling: a second request where only one part of a chain sees it. */
function secondHead (wire: string, random: Random): string {
  const second = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'
  return random.pick([
    `${wire}${second}`, `${wire}${second.slice(0, 30)}`, `\r\n\r\n${wire}`, `${wire}\r\n`,
    afterFirstLine(wire, `Content-Length: ${second.length}\r\n`) + second,
    `${afterFirstLine(wire, 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n${second}`,
    wire + wire.repeat(Math.min(random.between(1, 40), WIRE_BYTES_MAX / wire.length))
  ])
}

function preface (wire: string, random: Random): string {
  return random.pick([
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\x04\x01\x00\x50',
    '\x05\x01\x00', 'SSH-2.0-fuzz\r\n', 'EHLO fuzz\r\n', '{"jsonrpc":"2.0"}', '\0'.repeat(100), '\r\n'.repeat(50),
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 'GET /\r\n', 'GET / HTTP/1.1\r\n'
  ]) + (random.chance(0.5) ? wire : '')
}

/** A function as the replacement: `$` in a value means nothing. */
function afterFirstLine (wire: string, line: string): string {
  return wire.replace('\r\n', () => `\r\n${line}`)
}

function flipBit (wire: string, random: Random): string {
  const at = random.below(wire.length)
  const byte = wire.charCodeAt(at) ^ (1 << random.below(8))
  return replaceAt(wire, at, 1, String.fromCharCode(byte & 0xff))
}

function setByte (wire: string, random: Random): string {
  const byte = random.pick(['\0', '\r', '\n', ' ', '\t', '\xff', '\x7f', ':', '%', ';', '"', '/', '\x80'])
  return replaceAt(wire, random.below(wire.length), 1, byte)
}

function insertBytes (wire: string, random: Random): string {
  const bytes = random.chance(0.5) ? nastyText(random) : random.bytes(random.between(1, 8))
  return replaceAt(wire, random.between(0, wire.length), 0, bytes)
}

function deleteSlice (wire: string, random: Random): string {
  return replaceAt(wire, random.below(wire.length), random.between(1, SLICE_MAX), '')
}

function repeatSlice (wire: string, random: Random): string {
  const at = random.below(wire.length)
  const slice = wire.slice(at, at + random.between(1, SLICE_MAX))
  return replaceAt(wire, at, 0, slice.repeat(random.pick([1, 2, 20, REPEATS_MAX])))
}

function swapSlices (wire: string, random: Random): string {
  const at = random.below(wire.length)
  const length = random.between(1, SLICE_MAX)
  const [a, b] = [wire.slice(at, at + length), wire.slice(at + length, at + 2 * length)]
  return replaceAt(wire, at, a.length + b.length, b + a)
}

function replaceNumber (wire: string, random: Random): string {
  const numbers = [...wire.matchAll(/\d+/g)]
  if (numbers.length === 0) return wire
  const number = random.pick(numbers)
  return replaceAt(wire, number.index, number[0].length, nastyNumber(random))
}

function cutOff (wire: string, random: Random): string {
  return wire.slice(0, random.between(0, wire.length))
}

function splice (wire: string, other: string, random: Random): string {
  const [end, start] = [random.between(0, wire.length), random.between(0, other.length)]
  return wire.slice(0, end) + other.slice(start)
}

function replaceAt (wire: string, at: number, length: number, by: string): string {
  return wire.slice(0, at) + by + wire.slice(at + length)
}
