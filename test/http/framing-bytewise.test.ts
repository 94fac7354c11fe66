/**
 * RFC 9112 on every port of the running program: each short case byte by byte. The short run sends
 * each to one kind of port, by turns.
 */
import t from 'tap'
import { ALL_CASES } from '../../packages/shared/test/http/cases/all-cases.ts'
import type { HttpCase } from '../../packages/shared/test/http/cases/http-case.ts'
import { isLong } from '../../packages/shared/test/length.ts'
import { holdCases, ownBytes, type Way } from './hold-cases.ts'
import { PORT_KINDS, startKnownCluster, type PortKind } from './known-cluster.ts'

const LENGTH_MAX = 250

const cluster = await startKnownCluster(t)

for (const kind of PORT_KINDS) {
  t.test(`framing: the ${kind} holds to every case, byte by byte`, async t => {
    await holdCases(t, kind, cluster.portOf(kind), given =>
      isLong || hasTurn(given, kind) ? byteByByte(given) : [])
  })
}

function hasTurn (given: HttpCase, kind: PortKind): boolean {
  return ALL_CASES.indexOf(given) % PORT_KINDS.length === PORT_KINDS.indexOf(kind)
}

/** What must not be read as a request comes in one piece: it has said what it is at once. */
function byteByByte (given: HttpCase): Way[] {
  const own = ownBytes(given)
  if (own.length > LENGTH_MAX) return []
  return [{ name: 'byte by byte', pieces: [...own, given.bytes.slice(own.length)] }]
}
