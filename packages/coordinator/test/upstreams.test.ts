import t from 'tap'
import { testExternal, testServers } from '../../shared/test/settings/test-servers.ts'
import { upstreamsOf } from '../src/upstreams.ts'

const SERVERS = [...testServers([8000]), ...testExternal(1, ['shop'])]

t.test('upstreams: our own by an address of this machine, external ones by their URL', async t => {
  const settings = { decisionHost: '127.0.0.1', ip: '192.0.2.7', servers: SERVERS, tls: undefined }
  t.strictSame(upstreamsOf({ ...settings, host: '::' }), ['http://127.0.0.1:8000', 'https://shop.example'])
  t.strictSame(upstreamsOf({ ...settings, host: '192.0.2.7', tls: { cert: '', key: '' } }),
    ['https://192.0.2.7:8000', 'https://shop.example'])
})
