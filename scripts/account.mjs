/** `npm run account`: gets everything ready, then runs the account command. */
import { orExit, prepareProgram } from './setup.mjs'

await orExit(prepareProgram())
await import('../dist/account.js')
