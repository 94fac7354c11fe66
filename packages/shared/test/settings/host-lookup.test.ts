import { join } from 'node:path'
import t, { type Test } from 'tap'
import { lookUpHosts, type Lookup } from '@usher/shared/settings/host-lookup.ts'
import { loadSettings, type CompleteSettings } from '@usher/shared/settings/settings.ts'

const KNOWN: Readonly<Record<string, string>> = { a: '192.0.2.1', b: '::1' }

const lookUp: Lookup = async name => {
  const address = KNOWN[name]
  if (address === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
  return { address }
}

t.test('host lookup: names become addresses, and links name the address of HOST', async t => {
  const cases: ReadonlyArray<[env: Record<string, string>, expected: object]> = [
    [{ HOST: 'a' }, { host: '192.0.2.1', monitoringHost: '192.0.2.1', ip: '192.0.2.1' }],
    [{ HOST: 'a', MONITORING_HOST: 'b' },
      { host: '192.0.2.1', monitoringHost: '::1', ip: '192.0.2.1' }],
    [{ HOST: '127.0.0.1', MONITORING_HOST: 'a' },
      { host: '127.0.0.1', monitoringHost: '192.0.2.1', ip: '127.0.0.1' }],
    [{ HOST: 'a', IP: '203.0.113.5' },
      { host: '192.0.2.1', monitoringHost: '192.0.2.1', ip: '203.0.113.5' }]
  ]
  for (const [env, expected] of cases) {
    const { settings, effective } = await lookUpHosts(load(t, env), lookUp)
    const { host, monitoringHost, ip } = settings
    t.strictSame({ host, monitoringHost, ip }, expected, JSON.stringify(env))
    t.equal(effective.find(({ name }) => name === 'IP')?.text, settings.ip, '--check shows it')
    t.equal(effective.find(({ name }) => name === 'HOST')?.text, env['HOST'], 'as given')
  }
})

t.test('host lookup: what has no name asks nobody, and values stay as they were given', async t => {
  const loaded = load(t, { HOST: '::1', MONITORING_HOST: '127.0.0.1' })
  const found = await lookUpHosts(loaded, () => Promise.reject(new Error('asked')))
  t.strictSame(found.settings, loaded.settings)
  t.equal((await lookUpHosts(load(t, { HOST: 'a' }), lookUp)).values.HOST, 'a')
})

t.test('host lookup: names without an address are named, all of them', async t => {
  const loaded = load(t, { HOST: 'no-such', MONITORING_HOST: 'nor-this' })
  const allowed = 'allowed: an IP address, or a host name that this machine can look up'
  await t.rejects(lookUpHosts(loaded, lookUp), {
    code: 'USHER_SETTINGS_INVALID',
    message: `HOST (environment) is "no-such": it has no address (ENOTFOUND); ${allowed}\n` +
      `MONITORING_HOST (environment) is "nor-this": it has no address (ENOTFOUND); ${allowed}`
  })
  await t.rejects(lookUpHosts(load(t, { HOST: 'no-such' }), lookUp), {
    message: `HOST (environment) is "no-such": it has no address (ENOTFOUND); ${allowed}`
  }, 'the monitor\'s host is the same: it is said once')
})

function load (t: Test, env: Record<string, string>): CompleteSettings {
  const dir = t.testdir({ program: { html: { 'site-1': {}, 'site-2': {}, 'site-3': {} } }, cwd: {} })
  const source = { argv: [], env, cwd: join(dir, 'cwd'), programDir: join(dir, 'program') }
  return loadSettings(source) as CompleteSettings
}
