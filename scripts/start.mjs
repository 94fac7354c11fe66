/** `npm start`: gets everything ready, then becomes the program, in this very process. */
import { prepare } from './setup.mjs'

try {
  await prepare()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
await import('../dist/coordinator.js')
