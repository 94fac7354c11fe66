/** `npm run load` and its like: gets everything ready, then runs one of the tools in dist/. */
import { prepare } from './setup.mjs'

const [tool] = process.argv.splice(2, 1)
try {
  await prepare()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
await import(`../dist/${tool}.js`)
