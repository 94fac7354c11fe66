/** `npm start`: gets everything ready, then becomes the program, in this very process. */
import { orExit, prepareProgram } from './setup.mjs'

await orExit(prepareProgram())
await import('../dist/coordinator.js')
