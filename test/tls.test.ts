/** With a certificate every port speaks HTTPS, and nothing else. */
import { writeFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import t from 'tap'
import { CERT, KEY } from '../packages/shared/test/fixtures/tls-pems.ts'
import { ask, startCluster, workingFolder } from './cluster.ts'

interface SecureAnswer {
  readonly status: number
  readonly location: string | undefined
  readonly cookie: string | undefined
}

function askSecurely (port: number, path: string): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    https.get({ host: '127.0.0.1', port, path, rejectUnauthorized: false }, response => {
      response.resume()
      const { location, 'set-cookie': cookies } = response.headers
      resolve({ status: response.statusCode!, location, cookie: cookies?.[0] })
    }).on('error', reject)
  })
}

t.test('tls: every port speaks HTTPS, redirects say https, cookies are Secure', async t => {
  const cwd = workingFolder(t)
  writeFileSync(join(cwd, 'cert.pem'), CERT)
  writeFileSync(join(cwd, 'key.pem'), KEY)
  const cluster = await startCluster(t, { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' }, { cwd })
  const redirect = await askSecurely(cluster.routingPort, '/a')
  t.equal(redirect.status, 302)
  t.match(redirect.location, /^https:\/\/127\.0\.0\.1:\d+\/a$/)
  t.match(redirect.cookie, /; Secure$/)
  const page = await askSecurely(cluster.ports[0]!, '/')
  t.equal(page.status, 200)
  t.match(page.cookie, /; Secure$/)
  t.equal((await askSecurely(cluster.monitoringPort, '/healthz')).status, 200)
  await t.rejects(ask(cluster.ports[0]!), 'plain HTTP is not answered')
  t.equal(await cluster.stop(), 0)
})
