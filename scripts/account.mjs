/**
 * `npm run account`: the account command as it was built. Installs and builds nothing, so that it
 * works wherever the program runs; says what to type where something is missing.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const COMMAND = new URL('../dist/account.js', import.meta.url)

try {
  if (!existsSync(COMMAND)) end('the program is not built yet', 'npm ci && npm run build')
  createRequire(import.meta.url)(fileURLToPath(COMMAND))
} catch (error) {
  const isMissing = ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error.code)
  if (!isMissing) throw error
  end('its packages are not installed', 'npm ci --omit=dev')
}

function end (problem, remedy) {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  console.error(`account: ${problem}. In ${folder} type: ${remedy}`)
  process.exit(1)
}
