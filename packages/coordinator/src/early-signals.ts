/**
 * Signals that come before the program can act on them are kept for it: a reload that is asked for
 * during the start must not end the program, nor what nobody asked for. SIGINT and SIGTERM are left
 * alone until then: they end it at once, with nothing running. Main thread.
 */
import { UNUSED_SIGNALS } from '@usher/shared/unused-signals.ts'

export type SignalHandler = (signal: NodeJS.Signals) => void

const KEPT: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGUSR2', ...UNUSED_SIGNALS]

const kept = new Set<NodeJS.Signals>()
let handle: SignalHandler = signal => { kept.add(signal) }

/** To be called as early as can be. */
export function keepSignals (): void {
  for (const signal of KEPT) process.on(signal, () => { handle(signal) })
}

/** What was kept goes to `handler` now, once of each, and all others as they come. */
export function listenForSignals (handler: SignalHandler): void {
  handle = handler
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handler)
  for (const signal of kept) handler(signal)
  kept.clear()
}
