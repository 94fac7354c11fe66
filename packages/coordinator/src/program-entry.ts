/**
 * Where Node begins: signals are listened for before the program is loaded, which takes some
 * 100 ms. The program itself is main.ts.
 */
import { keepSignals } from './early-signals.ts'

keepSignals()
await import('./main.ts')
