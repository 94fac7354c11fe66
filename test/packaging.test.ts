/**
 * packaging/: what can be checked of the image and the service where there is neither a container
 * engine nor a systemd that runs.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SETTING_ROWS } from '@usher/shared/settings/setting-rows.ts'
import { CERT, KEY } from '../packages/shared/test/fixtures/tls-pems.ts'
import { PROGRAM } from '../scripts/kit/program.ts'
import { ROOT, startCluster, workingFolder } from './cluster.ts'

const PACKAGING = join(ROOT, 'packaging')
const HEALTHCHECK = join(PACKAGING, 'healthcheck.js')
const read = (name: string): string => readFileSync(join(PACKAGING, name), 'utf8')

/** The instructions of the Dockerfile's last stage, one a line, without comments. */
const image = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '').replaceAll(/\s*\\\n\s*/g, ' ').split(/^(?=FROM )/m).at(-1)!
  .trim().split(/\n+/)

function argumentsOf (instruction: string): string[] {
  return image.flatMap(line =>
    line.startsWith(`${instruction} `) ? [line.slice(instruction.length + 1)] : [])
}

function defaultOf (setting: string): string {
  return SETTING_ROWS.find(({ name }) => name === setting)!.default
}

/** As a container engine reads .dockerignore. */
function isIgnored (path: string): boolean {
  return read('Dockerfile.dockerignore').split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .some(pattern => {
      const source = pattern.replaceAll('.', '\\.')
        .replaceAll(/(\*\*\/)|\*/g, (_, anyFolders) => anyFolders === undefined ? '[^/]*' : '(.*/)?')
      return new RegExp(`^${source}(/|$)`).test(path)
    })
}

t.test('packaging: the image is slim, runs as no root, and asks after its health', async t => {
  t.match(argumentsOf('FROM'), [/^node:\d+-\w+-slim$/])
  t.strictSame(argumentsOf('USER'), ['node'])
  t.strictSame(argumentsOf('ENTRYPOINT'), ['["usher"]'])
  t.ok(image.indexOf('USER node') < image.indexOf('ENTRYPOINT ["usher"]'))
  t.match(argumentsOf('HEALTHCHECK'), [/CMD \["node", "\/opt\/usher\/packaging\/healthcheck\.js"\]$/])
  t.strictSame(argumentsOf('EXPOSE'), [
    [defaultOf('ROUTING_PORT'), defaultOf('MONITORING_PORT'), ...defaultOf('PORTS').split(',')].join(' ')
  ])
})

t.test('packaging: what the image and the service name is there', async t => {
  const named = `${image.join('\n')}\n${read('usher.service')}`
  const paths = [...named.matchAll(/\/opt\/usher\/(?:lib\/node_modules\/usher\/)?([\w./-]+\.js)/g)]
  t.ok(paths.length >= 4, `${paths.length} paths`)
  for (const [, path] of paths) t.ok(existsSync(join(ROOT, path!)), path!)
  const copied = argumentsOf('COPY').filter(words => !words.startsWith('--from='))
  t.ok(copied.length > 0)
  for (const words of copied) t.ok(existsSync(join(ROOT, words.split(' ')[0]!)), words)
})

t.test('packaging: the image is built of every source, and of no secret', async t => {
  const { PROGRAM: program } = await import(join(ROOT, 'scripts/setup.mjs')) as
    { PROGRAM: { sources: readonly string[] } }
  const needed = [...program.sources, 'packages/shared/package.json', 'packaging/healthcheck.js']
  for (const path of needed) t.notOk(isIgnored(path), path)
  for (const path of [
    '.git/config', 'usher.env', 'site/key.pem', 'db/usher.db', 'db/usher.db-wal', 'server.log',
    'node_modules/tap/package.json', 'packages/shared/node_modules/x', 'dist/coordinator.js'
  ]) t.ok(isIgnored(path), path)
})

for (const scheme of ['http', 'https']) {
  t.test(`packaging: the health check knows a program that is well, by ${scheme}`, async t => {
    const cwd = workingFolder(t, { 'cert.pem': CERT, 'key.pem': KEY })
    const tls = scheme === 'https' ? { TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' } : {}
    const cluster = await startCluster(t, tls, { cwd })
    const check = (): Promise<number | null> => new Promise(resolve => {
      const env = { ...tls, MONITORING_PORT: String(cluster.monitoringPort) }
      const child = execFile(process.execPath, [HEALTHCHECK], { env }, () => {
        resolve(child.exitCode)
      })
    })
    t.equal(await check(), 0)
    await cluster.stop()
    t.equal(await check(), 1)
  })
}

t.test('packaging: systemd understands every line of the service', async t => {
  const service = read('usher.service')
    .replace(/^ExecStart=.*/m, `ExecStart=${process.execPath} ${PROGRAM}`)
  const wrong = service.split('\n').filter(line => !/^($|#|\[\w+\]$|[A-Z]\w+=)/.test(line))
  t.strictSame(wrong, [])
  const complaints = (text: string): string | undefined => {
    const path = join(t.testdirName, 'usher.service')
    writeFileSync(path, text)
    const { error, stderr } = spawnSync(
      'systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
    return error === undefined ? stderr : undefined
  }
  t.testdir()
  if (complaints(service) === undefined) return t.comment('systemd-analyze was not found')
  t.equal(complaints(service), '')
  t.match(complaints(service.replace('ProtectHome=', 'ProtectHomes=')), 'ProtectHomes')
})
