/** `npm start`: gets everything ready, then becomes the program, in this very process. */
import { createRequire } from 'node:module'
import { orExit, prepareProgram } from './setup.mjs'

await orExit(prepareProgram())
createRequire(import.meta.url)('../dist/coordinator.js')
