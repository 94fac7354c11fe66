/**
 * Clients, places and news as the bytes that usher_v1.lua takes and gives: one text holds many, so
 * that a call has few arguments. Numbers are big-endian. Computes only.
 */
import type { Client } from '../client.ts'

/** Index of a server in the fleet, 1 to 65534. */
export type FleetIndex = number

/** In place of an index: nowhere, or wherever. */
export const NO_INDEX = 0

/** When a server was chosen, by the engine's clock: of a visitor's two places the later counts. */
interface Chosen {
  readonly chosenMs: number
}

export interface FleetVisitor {
  readonly client: Client
  /** Where the client says to be; NO_INDEX: nowhere. */
  readonly hint: FleetIndex
  /** Which server has just refused it; NO_INDEX: none. */
  readonly refusedBy: FleetIndex
}

export interface PlaceOfClient {
  readonly client: Client
  readonly index: FleetIndex
}

export interface Arrival extends PlaceOfClient, Chosen {
  /** Where it was before; NO_INDEX: nowhere that is known. */
  readonly from: FleetIndex
}

export interface ToldPlace extends PlaceOfClient, Chosen {
  /** How long it is still held. */
  readonly holdMs: number
}

/** What a node hears of its own servers. */
export type News =
  | { readonly kind: 'held', readonly from: FleetIndex } & ToldPlace
  | { readonly kind: 'released' } & PlaceOfClient
  | { readonly kind: 'elsewhere' } & PlaceOfClient & Chosen

export const CLIENT_BYTES = 17
const KIND_ID = 0x69 // i
const KIND_ADDRESS = 0x61 // a
const HELD = 0x52 // R
const RELEASED = 0x58 // X
const ELSEWHERE = 0x47 // G
const INDEX_BYTES = 2
const TIME_BYTES = 6
const TENTH_MS = 100
const TENTHS_MAX = 65535
/** A place with a second number of two bytes. */
const CHOSEN_BYTES = 2 * INDEX_BYTES + TIME_BYTES + CLIENT_BYTES

/** The client's kind and its 128 bits as a key of a Map: a character for each byte. */
export function clientKey (client: Client): string {
  return clientBytes(client).toString('latin1')
}

export function packVisitors (visitors: readonly FleetVisitor[]): Buffer {
  const bytesEach = CLIENT_BYTES + 2 * INDEX_BYTES
  return pack(visitors, bytesEach, (bytes, { client, hint, refusedBy }, at) => {
    writeClient(bytes, client, at)
    bytes.writeUInt16BE(hint, at + CLIENT_BYTES)
    bytes.writeUInt16BE(refusedBy, at + CLIENT_BYTES + INDEX_BYTES)
  })
}

export function packArrivals (arrivals: readonly Arrival[]): Buffer {
  return pack(arrivals, CHOSEN_BYTES, (bytes, { index, from, chosenMs, client }, at) => {
    bytes.writeUInt16BE(index, at)
    bytes.writeUInt16BE(from, at + 2)
    writeTime(bytes, chosenMs, at + 4)
    writeClient(bytes, client, at + 10)
  })
}

export function packPlaces (places: readonly PlaceOfClient[]): Buffer {
  return pack(places, INDEX_BYTES + CLIENT_BYTES, (bytes, { index, client }, at) => {
    bytes.writeUInt16BE(index, at)
    writeClient(bytes, client, at + 2)
  })
}

export function packTold (places: readonly ToldPlace[]): Buffer {
  return pack(places, CHOSEN_BYTES, (bytes, { index, holdMs, chosenMs, client }, at) => {
    bytes.writeUInt16BE(index, at)
    bytes.writeUInt16BE(Math.min(TENTHS_MAX, Math.ceil(Math.max(0, holdMs) / TENTH_MS)), at + 2)
    writeTime(bytes, chosenMs, at + 4)
    writeClient(bytes, client, at + 10)
  })
}

export function unpackIndexes (bytes: Buffer): readonly FleetIndex[] {
  return Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(2 * at))
}

export function unpackNews (bytes: Buffer): readonly News[] {
  const news: News[] = []
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at]
    const index = bytes.readUInt16BE(at + 1)
    at += 3
    if (kind === HELD) {
      const from = bytes.readUInt16BE(at)
      const holdMs = bytes.readUInt16BE(at + 2) * TENTH_MS
      const chosenMs = readTime(bytes, at + 4)
      at += 4 + TIME_BYTES
      news.push({ kind: 'held', index, from, holdMs, chosenMs, client: readClient(bytes, at) })
    } else if (kind === ELSEWHERE) {
      const chosenMs = readTime(bytes, at)
      at += TIME_BYTES
      news.push({ kind: 'elsewhere', index, chosenMs, client: readClient(bytes, at) })
    } else {
      if (kind !== RELEASED) throw new RangeError(`no news begins with ${kind}`)
      news.push({ kind: 'released', index, client: readClient(bytes, at) })
    }
    at += CLIENT_BYTES
  }
  return news
}

function pack<T> (
  items: readonly T[], bytesEach: number, write: (bytes: Buffer, item: T, at: number) => void
): Buffer {
  const bytes = Buffer.allocUnsafe(items.length * bytesEach)
  for (const [place, item] of items.entries()) write(bytes, item, place * bytesEach)
  return bytes
}

function clientBytes (client: Client): Buffer {
  const bytes = Buffer.allocUnsafe(CLIENT_BYTES)
  writeClient(bytes, client, 0)
  return bytes
}

function writeClient (bytes: Buffer, { kind, w0, w1, w2, w3 }: Client, at: number): void {
  bytes[at] = kind === 'id' ? KIND_ID : KIND_ADDRESS
  bytes.writeInt32BE(w0, at + 1)
  bytes.writeInt32BE(w1, at + 5)
  bytes.writeInt32BE(w2, at + 9)
  bytes.writeInt32BE(w3, at + 13)
}

/** Whole milliseconds since 1970. */
function writeTime (bytes: Buffer, ms: number, at: number): void {
  bytes.writeUIntBE(Math.max(0, Math.floor(ms)), at, TIME_BYTES)
}

function readTime (bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, TIME_BYTES)
}

function readClient (bytes: Buffer, at: number): Client {
  return {
    kind: bytes[at] === KIND_ID ? 'id' : 'ip',
    w0: bytes.readInt32BE(at + 1),
    w1: bytes.readInt32BE(at + 5),
    w2: bytes.readInt32BE(at + 9),
    w3: bytes.readInt32BE(at + 13)
  }
}
