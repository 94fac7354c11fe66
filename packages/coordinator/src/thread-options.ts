/** What all threads of the program have in common. Main thread. */

/** In the program's folder: runs the bundle that the thread's data name. */
export const THREAD_FILE = 'thread.js'

/**
 * A worker that leaks ends alone, long before the machine's memory does. Files and users are not on
 * this heap.
 */
export const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512 }

/** What the thread of a server runs. */
export const SERVER_BUNDLE = 'static-server.js'
