/** What docs/fleet.md says of the engine's TLS and of its user: it is enough, and no more. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isAnswer, openEngine, type CallEngine } from '@usher/shared/fleet/engine.ts'
import { ENGINE_SKIP, startEngine } from '../packages/shared/test/fleet/engine-kit.ts'
import { addressOf } from '../packages/shared/test/fleet/engine-process.ts'
import { ROOT, until } from './cluster.ts'
import { Person, startMember, untilUp } from './fleet-nodes.ts'

const GUIDE = readFileSync(join(ROOT, 'docs/fleet.md'), 'utf8')
const TLS_PORT = 16_380
/** Whatever they do, nobody who only counts visitors needs them. */
const OTHERS: ReadonlyArray<readonly string[]> = [
  ['KEYS', '*'], ['SCAN', '0'], ['FLUSHALL'], ['FLUSHDB'], ['CONFIG', 'GET', '*'], ['SHUTDOWN'],
  ['ACL', 'LIST'], ['REPLICAOF', 'NO', 'ONE'], ['MONITOR'], ['SAVE'],
  ['PUBLISH', 'a', 'b'], ['SWAPDB', '0', '1'], ['GET', 'usher:{other}:meta'], ['SET', 'usher', '1'],
  ['MIGRATE', '127.0.0.1', '1', 'usher:{usher}:meta', '0', '1']
]

/** The words of the line in the guide that makes the engine's user, as a shell has them. */
function userLine (): readonly string[] {
  const [, line = ''] = /redis-cli (ACL SETUSER (?:.*\\\n)*.*)/.exec(GUIDE) ?? []
  const words = execFileSync('sh', ['-c', `printf '%s\\n' ${line}`], { encoding: 'utf8' })
  return words.trimEnd().split('\n')
}

/** Those lines of the engine's settings that are about TLS, with files in its own folder. */
function tlsLines (): readonly string[] {
  const [, block = ''] = /```conf\n((?:.*\n)*?) *```/.exec(GUIDE) ?? []
  return block.trim().split('\n').flatMap(line => {
    const [name = '', value = ''] = line.trim().split(' ')
    if (name === 'port') return [] // The test's own connection is by it.
    return [`--${name}`, name === 'tls-port' ? String(TLS_PORT) : value.replace('/etc/redis/', '')]
  })
}

function makeCertificate (
  { host, folder }: { readonly host: string, readonly folder: string }
): void {
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '1', '-subj', '/CN=engine', '-addext', `subjectAltName=IP:${host}`,
    '-keyout', join(folder, 'engine.key'), '-out', join(folder, 'engine.crt')
  ], { stdio: 'ignore' })
}

t.test('fleet engine: a node needs no more than the guide gives its user, by TLS', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t, { args: tlsLines(), prepare: makeCertificate })
  const [, , name = '', ...rules] = userLine()
  t.equal(String(await engine.call('ACL', 'SETUSER', name, ...rules)), 'OK')
  const url = /CLUSTER_URL=(rediss:\/\/\S+@)/.exec(GUIDE)![1]!
  const settings = {
    CLUSTER_URL: `${url}${engine.host}:${TLS_PORT}`,
    NODE_EXTRA_CA_CERTS: join(engine.folder, 'engine.crt')
  }
  const [a, b] = await Promise.all([1, 2].map(number => startMember(t, engine, number, settings)))
  await untilUp([a!, b!], 6)
  t.pass('both have joined')
  let place = await new Person().enter(a!)
  while (place.hostname === a!.host) place = await new Person().enter(a!)
  t.equal(place.hostname, b!.host, 'visitors are placed at each other\'s servers')
  const person = new Person()
  await person.knock(b!)
  const userId = person.cookies.get(b!.host)!.get('client_id')!
  await until(async () => {
    await a!.servers() // Logs in again where another node's account is its own now.
    return (await a!.operator.post('/deny', { userId })).status
  }, status => status === 200)
  await until(async () => await person.knock(b!).then(() => 'let in', String), end => /403/.test(end))
  await until(async () => {
    await a!.servers()
    return (await a!.operator.get('/users')).json['nodes'] as { answered?: number } | undefined
  }, nodes => nodes?.answered === 2)
  t.pass('nodes answer what each other\'s console asks')
  const log = await engine.call('ACL', 'LOG')
  t.strictSame(log, [], 'and was refused nothing')
})

t.test('fleet engine: the user of the guide may do nothing else', { skip: ENGINE_SKIP }, async t => {
  const engine = await startEngine(t)
  const [, , name = '', ...rules] = userLine()
  await engine.call('ACL', 'SETUSER', name, ...rules)
  const password = /CLUSTER_URL=redis:\/\/\w+:(\S+)@/.exec(GUIDE)![1]!
  const address = addressOf(`redis://${name}:${password}@${engine.host}:${engine.port}`)
  const own = openEngine({ address, name: 'test' })
  t.teardown(() => own.close())
  await until(async () => own.isReady, isReady => isReady)
  const refusal = async (call: CallEngine, [command = '', ...args]: readonly string[]): Promise<string> =>
    await call(command, ...args).then(() => 'done', error => isAnswer(error) ? error.message : String(error))
  for (const words of OTHERS) t.match(await refusal(own.call, words), /^NOPERM /, words.join(' '))
  t.equal(await refusal(own.call, ['HGETALL', 'usher:{usher}:meta']), 'done')
})
