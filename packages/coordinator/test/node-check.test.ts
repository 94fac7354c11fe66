import t from 'tap'
import { checkNode } from '../src/node-check.ts'

t.test('node check: the oldest and whatever is newer will do', async t => {
  for (const version of ['20.19.3', '20.19.10', '20.20.0', '22.0.0', '24.1.2', '100.0.0']) {
    t.doesNotThrow(() => { checkNode(version, '>=20.19.3') }, version)
  }
})

t.test('node check: what is older is refused, and both versions are named', async t => {
  for (const version of ['20.19.2', '20.18.30', '18.20.8', '9.99.99']) {
    t.throws(() => { checkNode(version, '>=20.19.3') }, {
      code: 'USHER_NODE_TOO_OLD', message: new RegExp(`Node ${version}.*20\\.19\\.3`)
    })
  }
})

t.test('node check: the Node of this run will do, by package.json', async t => {
  const { default: manifest } = await import('../../../package.json', { with: { type: 'json' } })
  t.match(manifest.engines.node, /^>=\d+\.\d+\.\d+$/)
  t.doesNotThrow(() => { checkNode(process.versions.node, manifest.engines.node) })
})
