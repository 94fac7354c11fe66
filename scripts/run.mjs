/** `npm run load` and its like: gets everything ready, then runs a tool of dist/tools/. */
import { orExit, prepare } from './setup.mjs'

const [tool] = process.argv.splice(2, 1)
await orExit(prepare())
await import(`../dist/tools/${tool}.js`)
