import t from 'tap'
import { keepSignals, listenForSignals } from '../src/early-signals.ts'

t.test('early signals: what comes before the program listens is kept for it, once of each', async t => {
  const listeners = new Map<string, (signal: NodeJS.Signals) => void>()
  t.capture(process, 'on', (signal: string, listener: () => void) => {
    listeners.set(signal, listener)
    return process
  })
  keepSignals()
  const early = ['SIGHUP', 'SIGUSR2', 'SIGUSR1', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR']
  t.strictSame([...listeners.keys()], early, 'SIGINT and SIGTERM end the program until then')
  const come = (signal: NodeJS.Signals): void => { listeners.get(signal)!(signal) }
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGHUP'] as const) come(signal)
  const heard: string[] = []
  listenForSignals(signal => { heard.push(signal) })
  t.strictSame(heard, ['SIGHUP', 'SIGUSR1'])
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR2'] as const) come(signal)
  t.strictSame(heard.slice(2), ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR2'], 'as they come')
})
