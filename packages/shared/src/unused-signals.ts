/**
 * Signals that mean nothing to Usher and would do harm: at SIGUSR1 Node opens its debugger, through
 * which any program of this machine could run code in this one; the others would end the program.
 * A listener prevents both. Main thread, which has all signals.
 */
export const UNUSED_SIGNALS = [
  'SIGUSR1', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR'
] as const satisfies NodeJS.Signals[]

/** For a command that has no servers to restart at SIGUSR2, either. */
export function ignoreUnusedSignals (): void {
  for (const signal of [...UNUSED_SIGNALS, 'SIGUSR2'] as const) process.on(signal, () => {})
}

/**
 * Closes the debugger that SIGUSR1 has opened while Node itself was starting, when no listener
 * could be there yet. One that the command line asks for stays.
 */
export function closeUnaskedDebugger (): void {
  // To import it would throw in a Node that was built without it.
  if (!process.features.inspector) return
  const inspector = process.getBuiltinModule('node:inspector')
  if (inspector.url() !== undefined && !nodeOptions().includes('--inspect')) inspector.close()
}

/** Whether Node was told anything beside which program to run. */
export function hasNodeOptions (): boolean {
  return nodeOptions() !== ''
}

function nodeOptions (): string {
  return [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
}
