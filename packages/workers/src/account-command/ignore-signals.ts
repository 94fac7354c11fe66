/** The first step of the command, taken on import: what is imported after this loads later. */
import { closeUnaskedDebugger, ignoreUnusedSignals } from '@usher/shared/unused-signals.ts'

ignoreUnusedSignals()
closeUnaskedDebugger()
