/**
 * Bodies for the monitor, as text: what a route takes, and the same with something wrong about it.
 * Text and not values, because duplicate keys, half characters and endless numbers have no value.
 */
import type { Choices } from './choices.ts'
import { addressOrRange, clientId, nastyNumber, nastyText } from './nasty-values.ts'

/** What a field of a body holds. */
type FieldKind =
  'client' | 'address' | 'reason' | 'minutes' | 'flag' | 'name' | 'password' | 'handle'

export type Fields = Readonly<Record<string, FieldKind>>

const DEPTH_MAX = 4000
const NAMES = ['nobody', 'fuzz', 'Fuzz', 'f\u00fczz', '\u0130stanbul']
const WRONG_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'length', '', '\0', 'userid']

/** @returns UTF-8, as a text of Latin-1 */
export function jsonBody (fields: Fields, choices: Choices): string {
  return bytesOf(objectText(membersOf(fields, choices)))
}

export function formBody (fields: Fields, choices: Choices): string {
  return Object.entries(fields).map(([name, kind]) =>
    `${name}=${encodeURIComponent(plainOf(kind, choices))}`).join('&')
}

/** One thing is wrong: a value, a key, or how it is written. */
export function brokenJsonBody (fields: Fields, choices: Choices): string {
  const members = membersOf(fields, choices)
  const whole = (): string => bytesOf(objectText(members))
  const any = Math.max(0, choices.below(members.length + 1) - 1)
  const other = (): Member => [keyOf(fields, choices), wrongValue(choices)]
  const wrong: ReadonlyArray<() => string> = [
    () => bytesOf(objectText(members.length === 0 ? [other()] : members.with(any, other()))),
    () => bytesOf(objectText([...members, [choices.pick(WRONG_KEYS), wrongValue(choices)]])),
    () => bytesOf(objectText([...members, ...members])),
    () => bytesOf(objectText(members.slice(1))),
    () => bytesOf(wrongValue(choices)),
    () => bytesOf(`[${objectText(members)}]`),
    () => whole().slice(0, choices.between(0, whole().length)),
    () => whole() + choices.pick(['}', ',', ' x', '\0', whole(), '//', '\n']),
    () => choices.pick(['\xef\xbb\xbf', ' ', '\0', ')]}\',\n']) + whole(),
    () => whole().replaceAll('"', "'"),
    () => whole().replace(':', choices.pick([':\xff', ':\xc3', ': \xed\xa0\x80', '::', ''])),
    () => choices.pick(['', ' ', '{', '[', '"', 'null', '0', 'true', '{}', '[]', '""', '{"a"}', '{,}']),
    () => `{"a":"${'x'.repeat(choices.pick([1000, 16_000, 16_384, 17_000]))}"}`
  ]
  return choices.pick(wrong)()
}

export function brokenFormBody (fields: Fields, choices: Choices): string {
  const body = formBody(fields, choices)
  const wrong: ReadonlyArray<() => string> = [
    () => `${body}&${body}`,
    () => `${body}&${nastyText(choices)}=${nastyText(choices)}`,
    () => body.replace('=', choices.pick(['', '==', '[]=', '[__proto__]=', '=%', '=%ff%fe', '=\xff'])),
    () => Array.from({ length: choices.pick([10, 1000, 1001]) }, (_, at) => `k${at}=`).join('&'),
    () => nastyText(choices)
  ]
  return choices.pick(wrong)()
}

type Member = readonly [key: string, valueText: string]

function membersOf (fields: Fields, choices: Choices): Member[] {
  return Object.entries(fields).map(([name, kind]) => [name, valueText(kind, choices)])
}

function objectText (members: readonly Member[]): string {
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
}

function valueText (kind: FieldKind, choices: Choices): string {
  if (kind === 'flag') return choices.pick(['true', 'false'])
  if (kind === 'minutes') return choices.pick(['1', '60', '5256000'])
  return JSON.stringify(plainOf(kind, choices))
}

function plainOf (kind: FieldKind, choices: Choices): string {
  switch (kind) {
    case 'client': return choices.chance(0.9) ? clientId(choices) : addressOrRange(choices)
    case 'address': return addressOrRange(choices)
    case 'reason': return choices.pick(['', 'spam', 'caf\u00e9', '\ud83d\udeab', 'x'.repeat(200)])
    case 'minutes': return '5'
    case 'flag': return 'true'
    case 'name': return choices.pick(NAMES)
    case 'password': return choices.pick(['', 'wrong', 'p'.repeat(1024)])
    case 'handle': return choices.pick(['abcdefghijklmnop', 'A-_9'.repeat(4)])
  }
}

function keyOf (fields: Fields, choices: Choices): string {
  const keys = Object.keys(fields)
  return keys.length === 0 ? 'a' : choices.pick(keys)
}

/** JSON that no route takes there, or that is none. */
function wrongValue (choices: Choices): string {
  const depth = choices.pick([10, 500, DEPTH_MAX])
  return choices.pick<() => string>([
    () => choices.pick(['null', 'true', '[]', '{}', '[[]]', '[null]', '{"length":1}', '0', '""']),
    () => nastyNumber(choices),
    () => JSON.stringify(nastyText(choices)),
    () => `"${nastyText(choices)}"`,
    () => choices.pick(['"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u00"', '"\\x"', '"\\u2028"']),
    () => '['.repeat(depth) + ']'.repeat(depth),
    () => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth),
    () => '{"__proto__":{"permission":1,"canDisconnect":true}}',
    () => '{"constructor":{"prototype":{"force":true}}}'
  ])()
}

function bytesOf (text: string): string {
  return Buffer.from(text).toString('latin1')
}
