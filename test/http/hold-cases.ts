/** Holds a port of the running program to all cases, each sent in every way that is asked for. */
import type { Test } from 'tap'
import { ALL_CASES } from '../../packages/shared/test/http/cases/all-cases.ts'
import { SECOND, type HttpCase } from '../../packages/shared/test/http/cases/http-case.ts'
import { exchange } from './exchange.ts'
import type { PortKind } from './known-cluster.ts'
import { expectedAt } from './port-answers.ts'

/** Connections that are open at a time. */
const LANES = 40

/** How a case's bytes go out. */
export interface Way {
  readonly name: string
  readonly pieces: readonly string[]
}

export async function holdCases (
  t: Test, kind: PortKind, port: number, waysOf: (given: HttpCase) => readonly Way[]
): Promise<void> {
  const wrong: string[] = []
  const cases = ALL_CASES.filter(given => kind !== 'decision' || !isForTls(given))
  const runs = cases.flatMap(given => waysOf(given).map(way => ({ given, way })))
  await inLanes(runs, async ({ given, way }) => {
    const outcome = await exchange(port, way.pieces, given)
    const expected = expectedAt(kind, given)
    if (expected.includes(outcome)) return
    wrong.push(`${given.name}, ${way.name}: ${outcome}; RFC ${given.rfc}: ${expected.join(' or ')}`)
  })
  t.strictSame(wrong, [], `${cases.length} cases in ${runs.length} exchanges`)
}

/** Who asks for decisions here is a trusted proxy, which may have taken the TLS off. */
function isForTls ({ bytes }: HttpCase): boolean {
  return /^\w+ https:/.test(bytes)
}

/** The bytes of a case without the request that must not be read behind them. */
export function ownBytes ({ bytes }: HttpCase): string {
  return bytes.endsWith(SECOND) ? bytes.slice(0, -SECOND.length) : bytes
}

async function inLanes<T> (all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values()
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (const one of rest) await work(one)
  }))
}
