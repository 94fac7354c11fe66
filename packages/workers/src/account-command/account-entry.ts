/** Where Node begins: no signal opens its debugger on a process that is told passwords. */
import { closeUnaskedDebugger, ignoreUnusedSignals } from '@usher/shared/unused-signals.ts'

ignoreUnusedSignals()
closeUnaskedDebugger()
await import('./main.ts')
