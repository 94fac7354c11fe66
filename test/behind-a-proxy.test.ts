/**
 * The files of docs/behind-a-proxy, run as they stand but for addresses and ports: one name for the
 * whole site, visitors placed by decisions, and the proxy carrying the bytes; or a name for each.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Operator } from '../scripts/kit/operator.ts'
import { ROOT, startCluster, until, Visitor, workingFolder, type Answer, type Cluster } from './cluster.ts'
import { PROXY_PORT, startProxy } from './proxies.ts'

const PASSWORD = 'correct horse battery'
const SETTINGS = { ADMIN_PASSWORD: PASSWORD, DELAY_BETWEEN_ROUTING: '0', DECISION_PORT: '0' }
const NAMES = ['one', 'two', 'three']
const VISITOR_COUNT = 60
/** Of every page of the applications. */
const PUBLIC = 'public, max-age=600'
const APPS = join(ROOT, 'test/fixtures/apps')

/** One proxy's files for each of the two ways, the one that it is started with first. */
interface Recipe {
  readonly oneName: readonly string[]
  readonly names: readonly string[]
  /** What a server has around such a file, and what is not for a test's machine. */
  readonly fit: (text: string, address: string) => string
  readonly run: (file: string, folder: string) => ChildProcess
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  nginx: {
    oneName: ['nginx-one-name.conf'],
    names: ['nginx-names.conf'],
    fit: (text, address) => text
      .replaceAll(/\blisten 80\b/g, `listen ${address}:${PROXY_PORT}`)
      .replace('events {}', 'daemon off; master_process off; pid nginx.pid; error_log stderr; events {}')
      .replace('http {', `http { access_log off; client_body_temp_path body;
        proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;`),
    run: (file, folder) => spawn('nginx', ['-p', folder, '-c', file], {
      cwd: folder, stdio: ['ignore', 'ignore', 'pipe']
    })
  },
  haproxy: {
    oneName: ['haproxy-one-name.cfg', 'haproxy-usher.lua'],
    names: ['haproxy-names.cfg'],
    fit: (text, address) => text.replace('bind :80', `bind ${address}:${PROXY_PORT}`),
    run: (file, folder) => spawn('haproxy', ['-db', '-f', file], {
      cwd: folder, stdio: ['ignore', 'ignore', 'pipe']
    })
  },
  caddy: {
    oneName: ['Caddyfile-one-name'],
    names: ['Caddyfile-names'],
    fit: (text, address) => text
      .replaceAll(/^\w+\.example\.org(?= \{)/gm, name => `http://${name}:${PROXY_PORT}`)
      .replace(/^(?![#\n])/m, `{\n admin off\n auto_https off\n default_bind ${address}\n}\n`),
    run: (file, folder) => spawn('caddy',
      ['run', '--config', file, '--adapter', 'caddyfile'], {
        cwd: folder, env: { ...process.env, HOME: folder }, stdio: ['ignore', 'ignore', 'pipe']
      })
  }
}

/** What sites are written in, beside Node: how an application in it is started, by its name. */
const LANGUAGES: Readonly<Record<string, (t: Test, name: string) => Promise<ChildProcess>>> = {
  python3: async (_, name) => run('python3', 'app.py', name),
  php: async (_, name) => run('php', 'app.php', name),
  go: async (t, name) => {
    const program = join(workingFolder(t), 'app')
    const built = spawn('go', ['build', '-o', program, join(APPS, 'app.go')], {
      env: { ...process.env, GO111MODULE: 'off', GOFLAGS: '', CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'inherit']
    })
    const [code] = await once(built, 'exit') as [number | null]
    if (code !== 0) throw new Error(`go build ended with ${code}`)
    return spawn(program, [name], { stdio: ['ignore', 'pipe', 'inherit'] })
  }
}

function run (program: string, file: string, name: string): ChildProcess {
  return spawn(program, [join(APPS, file), name], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Node and those of them that this machine has. */
const SPOKEN = ['node', ...Object.keys(LANGUAGES).filter(name =>
  spawnSync(name, [name === 'go' ? 'version' : '--version']).error === undefined)]

/** The address of the proxy; the recipe's ports are this cluster's. */
async function startRecipe (
  t: Test, recipe: Recipe, way: 'oneName' | 'names', cluster: Cluster,
  apps: readonly App[] = []
): Promise<string> {
  const servers = apps.length > 0
    ? apps
    : cluster.ports.map(port => ({ name: String(port), port }))
  const ports = new Map<string, number | undefined>([
    ['8080', cluster.routingPort], ['8081', cluster.monitoringPort], ['8082', cluster.decisionPort],
    ...servers.map(({ port }, index) => [String(8000 + index), port] as const)
  ])
  const nameOf = (port: string): string => servers[Number(port) - 8000]!.name
  const { addresses } = await startProxy(t, ['shop'], (folder, addressOf) => {
    for (const file of recipe[way]) {
      const recipeText = readFileSync(join(ROOT, 'docs/behind-a-proxy', file), 'utf8')
        .replaceAll(/(?<=127\.0\.0\.1:|example\.org +)\d{4}\b/gm, port => String(ports.get(port)))
        .replaceAll(/(?<=^backend )\d{4}\b/gm, nameOf)
      writeFileSync(join(folder, file), recipe.fit(recipeText, addressOf('shop')))
    }
    return recipe.run(recipe[way][0]!, folder)
  })
  return addresses.get('shop')!
}

for (const [at, [name, recipe]] of Object.entries(RECIPES).entries()) {
  const skip = spawnSync(name, ['version']).error === undefined ? false : `no ${name} was found`
  t.test(`behind a proxy: one name for the site, by ${name}`, { skip }, async t => {
    const cwd = workingFolder(t, Object.fromEntries(NAMES.map(name => [name, { 'index.html': name }])))
    const cluster = await startCluster(t, {
      ...envOf('One name for all'), ...SETTINGS, HTML_DIRS: NAMES.join(',')
    }, { cwd })
    const host = await startRecipe(t, recipe, 'oneName', cluster)
    const ask = (visitor: Visitor, path = '/', method = 'GET'): Promise<Answer> =>
      visitor.ask(PROXY_PORT, path, {
        host, method, headers: { host: 'shop.example.org', 'sec-fetch-dest': 'document' }
      })
    const visitors = Array.from({ length: VISITOR_COUNT }, () => new Visitor())
    const first = await Promise.all(visitors.map(visitor => ask(visitor, '/?a=b')))
    t.strictSame(first.filter(({ status }) => status !== 200), [])
    t.ok(first.every(({ headers }) => headers['set-cookie']?.length === 1), 'one cookie each')
    const bodies = first.map(({ body }) => body)
    t.strictSame(NAMES.map(name => bodies.filter(body => body === name).length), [20, 20, 20],
      'spread exactly')
    const again = await Promise.all(visitors.map(visitor => ask(visitor)))
    t.strictSame(again.map(({ body }) => body), bodies, 'each stays')
    t.ok(again.every(({ headers }) => headers['set-cookie'] === undefined), 'and keeps the cookie')

    const [ana, ben] = [visitors[0]!, visitors[1]!]
    const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
    const count = async (): Promise<unknown> => (await admin.get('/stats')).json['total_users']
    t.equal(await count(), VISITOR_COUNT, 'everybody is counted once')
    const left = await ask(ana, '/leave', 'POST')
    t.strictSame([left.status, left.body], [200, '{"response":"leave received"}'])
    await until(count, users => users === VISITOR_COUNT - 1)

    const userId = ben.cookie!.split('=')[1]!
    t.equal((await admin.post('/disconnect', { userId })).status, 200)
    const denied = await ask(ben)
    t.equal(denied.status, 403)
    t.match(denied.body, userId, 'the denied page')
    const posted = await ask(ben, '/cart', 'POST')
    t.strictSame([posted.status, posted.body], [403, denied.body], 'whatever is asked for')
    for (const port of cluster.ports) {
      t.equal((await admin.post(`/servers/${port}/drain`, { force: true })).status, 200)
    }
    const closed = await ask(new Visitor())
    t.equal(closed.status, 503)
    t.ok(closed.headers['retry-after'])
    t.match(closed.body, /<html/)
    t.strictSame((await ask(new Visitor(), '/cart', 'POST')).status, 503)
  })

  t.test(`behind a proxy: where places are scarce, each has one or hears why not, by ${name}`,
    { skip }, async t => {
      const cluster = await startCluster(t, {
        ...envOf('One name for all'), ...SETTINGS, CAPACITY: '2', RETURN_GRACE: '0', LEAVE_GRACE: '0'
      })
      const host = await startRecipe(t, recipe, 'oneName', cluster)
      const ask = (visitor: Visitor, path: string, method: string): Promise<Answer> =>
        visitor.ask(PROXY_PORT, path, {
          host, method, headers: { host: 'shop.example.org', 'sec-fetch-dest': 'document' }
        })
      const told = new Map<number, Answer>()
      const comeAndGo = async (): Promise<void> => {
        for (let visits = 0; visits < 20; visits++) {
          const visitor = new Visitor()
          const answer = await ask(visitor, '/', 'GET')
          told.set(answer.status, answer)
          if (answer.status === 200) await ask(visitor, '/leave', 'POST')
        }
      }
      await Promise.all(Array.from({ length: 20 }, comeAndGo))
      t.strictSame([...told.keys()].toSorted(), [200, 503])
      const refusal = told.get(503)!
      t.match(refusal.body, /<html/)
      t.equal(refusal.headers['x-usher-reason'], 'full')
      t.match(refusal.headers['x-usher-location'], /^http:\/\/shop\.example\.org/)
      const seated = await until(
        async () => await Promise.all(Array.from({ length: 6 }, () => ask(new Visitor(), '/', 'GET'))),
        answers => answers.some(({ status }) => status === 503))
      t.ok(seated.every(({ status }) => status === 200 || status === 503))
      const posted = await ask(new Visitor(), '/cart', 'POST')
      t.strictSame([posted.status, posted.body], [503, refusal.body], 'whatever is asked for')
    })
  // Each proxy has other ones: all meet with four languages, and most with fewer.
  const languages = NAMES.map((_, server) => SPOKEN[(at + server) % SPOKEN.length]!)
  t.test(`behind a proxy: one name for applications in ${languages.join(', ')}, by ${name}`, { skip }, async t => {
    const apps = await Promise.all(NAMES.map((name, server) =>
      startApp(t, name, languages[server]!)))
    const cluster = await startCluster(t, {
      ...envOf('One name for all'),
      ...SETTINGS,
      PORTS: '',
      EXTERNAL_SERVERS: apps.map(({ name, port }) =>
        `${name}=http://127.0.0.1:${port}${baseOf(name)}`).join(',')
    })
    const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
    await until(() => admin.get('/stats'), ({ text }) => text.match(/"state":"up"/g)?.length === 3)
    const host = await startRecipe(t, recipe, 'oneName', cluster, apps)
    const ask = (visitor: Visitor, path: string, body?: string): Promise<Answer> =>
      visitor.ask(PROXY_PORT, path, {
        host,
        headers: { host: 'shop.example.org' },
        ...(body !== undefined && { method: 'POST', body })
      })
    const visitors = Array.from({ length: VISITOR_COUNT }, () => new Visitor())
    const homes = await Promise.all(visitors.map(async visitor => {
      const first = await ask(visitor, '/')
      const [home = ''] = first.body.split(' ')
      t.match(first.body, `${home} GET ${baseOf(home)}/ ${visitor.cookie}`, 'it knows the id at once')
      t.equal(first.headers['cache-control'], 'private, no-store')
      return home
    }))
    t.strictSame(NAMES.map(name => homes.filter(home => home === name).length), [20, 20, 20])
    await Promise.all(visitors.map(async (visitor, at) => {
      const home = homes[at]!
      const { body, headers } = await ask(visitor, '/cart?a=b', 'one apple')
      t.equal(body, `${home} POST ${baseOf(home)}/cart?a=b ${visitor.cookie} one apple`)
      t.equal(headers['cache-control'], PUBLIC)
    }))
    const old = new Visitor()
    old.cookie = 'client_id=of-old; theme=dark'
    const { body } = await ask(old, '/')
    t.match(body, `/ ${old.cookie}; client_id=of-old; theme=dark `, 'the id that counts comes first')
    for (const at of [0, 1, 2]) {
      t.equal(await echoOf(host, visitors[at]!.cookie!),
        `HTTP/1.1 101 Switching Protocols ${homes[at]}:hello`)
    }
    t.equal((await admin.get('/stats')).json['total_users'], VISITOR_COUNT + 1)
  })

  t.test(`behind a proxy: a name for each, by ${name}`, { skip }, async t => {
    const cluster = await startCluster(t, { ...SETTINGS, ...envOf('A name for each') })
    const host = await startRecipe(t, recipe, 'names', cluster)
    const ask = (visitor: Visitor, name: string, path = '/'): Promise<Answer> =>
      visitor.ask(PROXY_PORT, path, { host, headers: { host: name } })
    const visitors = Array.from({ length: VISITOR_COUNT }, () => new Visitor())
    const names = await Promise.all(visitors.map(async visitor => {
      const { headers } = await ask(visitor, 'door.example.org', '/?a=b')
      t.match(headers['set-cookie']?.[0], /; Domain=example\.org;/)
      const { hostname, pathname, search } = new URL(headers.location!)
      const page = await ask(visitor, hostname, pathname + search)
      t.strictSame([page.status, page.headers['set-cookie']], [200, undefined], 'one id for all')
      return hostname
    }))
    t.strictSame(['a', 'b', 'c'].map(letter =>
      names.filter(name => name === `${letter}.example.org`).length), [20, 20, 20])
    const { status } = await ask(new Visitor(), 'stranger.example.org')
    t.equal(status, { nginx: 421, haproxy: 503, caddy: 200 }[name], 'as the proxy has it')
    const login = await ask(new Visitor(), 'monitor.example.org', '/login.html')
    t.equal(login.status, 200)
    const monitor = `monitor.example.org:${PROXY_PORT}`
    const loggedIn = await new Visitor().ask(PROXY_PORT, '/login', {
      host,
      method: 'POST',
      headers: { host: monitor, origin: `http://${monitor}`, 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: PASSWORD })
    })
    t.equal(loggedIn.status, 200, loggedIn.body)
    const admin = await Operator.loggedIn(cluster, 'admin', PASSWORD)
    t.equal((await admin.get('/stats')).json['total_users'], VISITOR_COUNT)
  })
}

interface App {
  readonly name: string
  readonly port: number
}

/** One of them has its pages below a path. */
function baseOf (name: string): string {
  return name === NAMES.at(-1) ? '/base' : ''
}

/** Somebody's application: says what it was asked, and echoes what comes after an upgrade. */
async function startApp (t: Test, name: string, language: string): Promise<App> {
  const start = LANGUAGES[language]
  if (start === undefined) return await startNodeApp(t, name)
  const child = await start(t, name)
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const [said] = await once(child.stdout!, 'data') as [Buffer]
  return { name, port: Number(said) }
}

async function startNodeApp (t: Test, name: string): Promise<App> {
  const server = http.createServer((request, response) => {
    void text(request).then(body => {
      response.setHeader('Cache-Control', PUBLIC)
      response.end(`${name} ${request.method} ${request.url} ${request.headers.cookie} ${body}`)
    })
  })
  server.on('upgrade', (request, socket: Duplex) => {
    socket.on('error', () => {})
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n${name}:`)
    socket.pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { name, port: (server.address() as AddressInfo).port }
}

/** What comes back of "hello" on a connection that has been upgraded. */
async function echoOf (host: string, cookie: string): Promise<string> {
  const socket = connect({ host, port: PROXY_PORT })
  socket.write('GET /chat HTTP/1.1\r\nHost: shop.example.org\r\nConnection: Upgrade\r\nUpgrade: echo\r\n' +
    `Cookie: ${cookie}\r\n\r\n`)
  let said = ''
  for await (const part of socket) {
    said += String(part)
    if (said.endsWith(':')) socket.write('hello')
    if (said.endsWith('hello')) break
  }
  const [head = '', echo = ''] = said.split('\r\n\r\n')
  return `${head.split('\r\n')[0]} ${echo}`
}

/** The settings that the document gives for one of the ways. */
function envOf (heading: string): Record<string, string> {
  const document = readFileSync(join(ROOT, 'docs/behind-a-proxy/README.md'), 'utf8')
  const section = document.split(/^## /m).find(text => text.startsWith(heading))!
  const [, block = ''] = /^```ini\n(.*?)^```$/ms.exec(section)!
  return Object.fromEntries(block.trim().split('\n').map(line => line.split('=')))
}
