/**
 * Bodies for the monitor, as text: what a route takes, and the same with something wrong about it.
 * Text and not values, because duplicate keys, half characters and endless numbers have no value.
 */
import type { Random } from '../kit/random.ts'
import { addressOrRange, clientId, nastyNumber, nastyText } from './nasty-values.ts'
import { ADDED_NAMES } from './shop.ts'

/** What a field of a body holds. */
type FieldKind =
  'client' | 'address' | 'reason' | 'minutes' | 'flag' | 'name' | 'password' | 'handle' |
  'scopes' | 'days' | 'tokenId' | 'reports' | 'added' | 'url' | 'health' | 'amount'

export type Fields = Readonly<Record<string, FieldKind>>

/** They stand in a body without quotes. */
const NUMBER_KINDS: ReadonlySet<FieldKind> = new Set(['days', 'tokenId', 'amount'])
const DEPTH_MAX = 4000
const NAMES = ['nobody', 'fuzz', 'Fuzz', 'f\u00fczz', '\u0130stanbul']
const SCOPE_LISTS = [['view'], ['drain', 'report'], ['view', 'disconnect', 'drain', 'report']]
const TOKEN_ID_MAX = 40
/** Of this machine alone, for they are asked for; nobody listens at the port. */
const URLS = ['http://127.0.0.1:9', 'http://127.0.0.1:9/shop', 'ftp://127.0.0.1:9', '/shop', '']
const HEALTHS = [
  {}, { path: '/up?a=1', interval: 0.5, status: '200-299' }, { rise: 1, fall: 10, timeout: null },
  { path: '@127.0.0.1/' }, { interval: 0 }, { status: '299-200' }
]
const WRONG_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', '\0', 'userid']

/** @returns UTF-8, as a text of Latin-1 */
export function jsonBody (fields: Fields, random: Random): string {
  return bytesOf(objectText(membersOf(fields, random)))
}

export function formBody (fields: Fields, random: Random): string {
  return Object.entries(fields).map(([name, kind]) =>
    `${name}=${encodeURIComponent(plainOf(kind, random))}`).join('&')
}

/** One thing is wrong: a value, a key, or how it is written. */
export function brokenJsonBody (fields: Fields, random: Random): string {
  const members = membersOf(fields, random)
  const whole = (): string => bytesOf(objectText(members))
  const any = Math.max(0, random.below(members.length + 1) - 1)
  const other = (): Member => [keyOf(fields, random), wrongValue(random)]
  const wrong: ReadonlyArray<() => string> = [
    () => bytesOf(objectText(members.length === 0 ? [other()] : members.with(any, other()))),
    () => bytesOf(objectText([...members, [random.pick(WRONG_KEYS), wrongValue(random)]])),
    () => bytesOf(objectText([...members, ...members])),
    () => bytesOf(objectText(members.slice(1))),
    () => bytesOf(wrongValue(random)),
    () => bytesOf(`[${objectText(members)}]`),
    () => whole().slice(0, random.between(0, whole().length)),
    () => whole() + random.pick(['}', ',', ' x', '\0', whole(), '//', '\n']),
    () => random.pick(['\xef\xbb\xbf', ' ', '\0', ')]}\',\n']) + whole(),
    () => whole().replaceAll('"', "'"),
    () => whole().replace(':', random.pick([':\xff', ':\xc3', ': \xed\xa0\x80', '::', ''])),
    () => random.pick(['', ' ', '{', '[', '"', 'null', '0', 'true', '{}', '[]', '""', '{"a"}', '{,}']),
    () => `{"a":"${'x'.repeat(random.pick([1000, 16_000, 16_384, 17_000]))}"}`
  ]
  return random.pick(wrong)()
}

export function brokenFormBody (fields: Fields, random: Random): string {
  const body = formBody(fields, random)
  const wrong: ReadonlyArray<() => string> = [
    () => `${body}&${body}`,
    () => `${body}&${nastyText(random)}=${nastyText(random)}`,
    () => body.replace('=', random.pick(['', '==', '[]=', '[__proto__]=', '=%', '=%ff%fe', '=\xff'])),
    () => Array.from({ length: random.pick([10, 1000, 1001]) }, (_, at) => `k${at}=`).join('&'),
    () => nastyText(random)
  ]
  return random.pick(wrong)()
}

type Member = readonly [key: string, valueText: string]

function membersOf (fields: Fields, random: Random): Member[] {
  return Object.entries(fields).map(([name, kind]) => [name, valueText(kind, random)])
}

function objectText (members: readonly Member[]): string {
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
}

function valueText (kind: FieldKind, random: Random): string {
  if (kind === 'flag') return random.pick(['true', 'false'])
  if (kind === 'minutes') return random.pick(['1', '60', '5256000'])
  if (kind === 'scopes') return JSON.stringify(random.pick(SCOPE_LISTS))
  if (kind === 'reports') return reportsText(random)
  if (kind === 'health') return JSON.stringify(random.pick(HEALTHS))
  if (NUMBER_KINDS.has(kind)) return plainOf(kind, random)
  return JSON.stringify(plainOf(kind, random))
}

/** Mostly whole ones. */
function reportsText (random: Random): string {
  const users = Array.from({ length: random.pick([1, 1, 2, 40, 1000, 1001]) }, () => ({
    id: random.chance(0.99) ? clientId(random) : nastyText(random),
    ...(random.chance(0.7) ? { seen: true } : { left: random.chance(0.98) })
  }))
  return JSON.stringify(users)
}

function plainOf (kind: FieldKind, random: Random): string {
  switch (kind) {
    case 'client': return random.chance(0.9) ? clientId(random) : addressOrRange(random)
    case 'address': return addressOrRange(random)
    case 'reason': return random.pick(['', 'spam', 'caf\u00e9', '\ud83d\udeab', 'x'.repeat(200)])
    case 'minutes': return '5'
    case 'flag': return 'true'
    case 'name': return random.pick(NAMES)
    case 'password': return random.pick(['', 'wrong', 'p'.repeat(1024)])
    case 'scopes': return 'view'
    case 'reports': return clientId(random)
    case 'days': return random.pick(['1', '90', '366'])
    case 'tokenId': return String(random.between(1, TOKEN_ID_MAX))
    case 'added': return random.pick(ADDED_NAMES)
    case 'url': return random.pick(URLS)
    case 'health': return '/'
    case 'amount': return random.pick(['1', '2', '100', 'null', '0'])
    case 'handle': return random.pick(['abcdefghijklmnop', 'A-_9'.repeat(4)])
  }
}

function keyOf (fields: Fields, random: Random): string {
  const keys = Object.keys(fields)
  return keys.length === 0 ? 'a' : random.pick(keys)
}

/** JSON that no route takes there, or that is none. */
function wrongValue (random: Random): string {
  const depth = random.pick([10, 500, DEPTH_MAX])
  return random.pick<() => string>([
    () => random.pick(['null', 'true', '[]', '{}', '[[]]', '[null]', '{"length":1}', '0', '""']),
    () => nastyNumber(random),
    () => JSON.stringify(nastyText(random)),
    () => `"${nastyText(random)}"`,
    () => random.pick(['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u00"', '"\\x"', '"\\u2028"']),
    () => '['.repeat(depth) + ']'.repeat(depth),
    () => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth),
    () => '{"__proto__":{"permission":1,"canDisconnect":true}}',
    () => '{"constructor":{"prototype":{"force":true}}}'
  ])()
}

function bytesOf (text: string): string {
  return Buffer.from(text).toString('latin1')
}
