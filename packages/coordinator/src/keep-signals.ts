/** The first step of the program, taken on import: what is imported after this loads later. */
import { keepSignals } from './early-signals.ts'

keepSignals()
