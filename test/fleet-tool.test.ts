/** `npm run fleet`: three nodes that are one fleet, and nothing left of them. */
import t from 'tap'
import { ENGINE_SKIP } from '../packages/shared/test/fleet/engine-kit.ts'
import { runTool } from './tool.ts'

t.test('fleet: three nodes run for as long as they are told', { skip: ENGINE_SKIP }, async t => {
  const { code, printed } = await runTool('fleet', '--free-ports', '--seconds', '0.1')
  t.equal(code, 0, printed)
  for (const [name, host] of [['oak', '127.0.0.2'], ['elm', '127.0.0.3'], ['ash', '127.0.0.4']]) {
    t.match(printed, `  ${name}   visitors http://${host}:`)
  }
  t.match(printed, /^Log in as admin, password [\w-]{12}\. /m)
})

t.test('fleet: wrong words end with 2', async t => {
  for (const args of [['--seconds', '0'], ['--seconds', 'x'], ['--nodes', '4']]) {
    const { code, printed } = await runTool('fleet', ...args)
    t.equal(code, 2)
    t.match(printed, /^fleet: .*\n\nnpm run fleet -- /)
  }
})
