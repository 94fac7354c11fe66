/** A step of the program, taken on import: what is imported after this loads beside the thread. */
import { startEarlyServer } from './early-server.ts'

export const earlyServer = startEarlyServer(import.meta.dirname)
