/** The apps of docs/tickets, run as they stand: each lets in only who came by the door. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { decodeJwt } from 'jose'
import { ask, ROOT, samePorts, startCluster, until, workingFolder, type Answer, type Cluster } from './cluster.ts'

interface Language {
  readonly file: string
  /** Undefined where what it needs is not on this machine. */
  readonly command: (folder: string, port: number) => readonly string[] | undefined
}

const PYTHON = ['/usr/bin/python3', 'python3'].find(python => runs(python, ['-c', 'import jwt, cryptography']))

const LANGUAGES: Readonly<Record<string, Language>> = {
  // Beside this tree's packages.
  Node: { file: 'app.mjs', command: () => [process.execPath, join(ROOT, 'docs/tickets/app.mjs')] },
  Python: {
    file: 'app.py', command: folder => PYTHON === undefined ? undefined : [PYTHON, join(folder, 'app.py')]
  },
  PHP: {
    file: 'app.php',
    command: (folder, port) => runs('php', ['-r', 'exit(function_exists("sodium_crypto_sign_open") ? 0 : 1);'])
      ? ['php', '-S', `127.0.0.1:${port}`, join(folder, 'app.php')]
      : undefined
  },
  Go: {
    file: 'app.go',
    command: folder => {
      const built = join(folder, 'app')
      return runs('go', ['version']) && runs('go', ['build', '-o', built, join(folder, 'app.go')], folder)
        ? [built]
        : undefined
    }
  }
}

function runs (program: string, args: readonly string[], home?: string): boolean {
  const env = { ...process.env, ...(home !== undefined && { GOCACHE: join(home, 'cache'), GO111MODULE: 'off' }) }
  return spawnSync(program, args, { env, stdio: 'ignore' }).status === 0
}

async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => { server.close(resolve) })
  return port
}

/** Usher with the app as `shop-a`, and as `shop-b`, which it is not. */
async function startDoor (t: Test, appPort: number, cwd: string): Promise<Cluster> {
  const first = await startCluster(t, {}, { cwd })
  const { ROUTING_PORT = '' } = samePorts(first)
  await first.stop()
  return await startCluster(t, {
    PORTS: '',
    ROUTING_PORT,
    ROUTER_URL: `http://127.0.0.1:${ROUTING_PORT}`,
    // Another name than the router's, which no cookie of that reaches.
    EXTERNAL_SERVERS: `shop-a=http://localhost:${appPort},shop-b=http://localhost:${appPort}/b`,
    HEALTH_INTERVAL: '0.2',
    DELAY_BETWEEN_ROUTING: '0'
  }, { cwd })
}

for (const [name, { file, command }] of Object.entries(LANGUAGES)) {
  t.test(`ticket app: in ${name}, who came by the door is let in, and nobody else`, async t => {
    const folder = workingFolder(t)
    cpSync(join(ROOT, 'docs/tickets', file), join(folder, file))
    mkdirSync(join(folder, 'state'))
    const port = await freePort()
    const line = command(folder, port)
    if (line === undefined) return t.pass(`${name} is not on this machine`)
    const door = await startDoor(t, port, folder)
    const [program = '', ...args] = line
    const app = spawn(program, args, {
      env: {
        ...process.env,
        PORT: String(port),
        SERVER: 'shop-a',
        DOOR: door.routerUrl,
        STATE: join(folder, 'state')
      },
      stdio: 'ignore'
    })
    t.teardown(() => { app.kill('SIGKILL') })
    const askApp = (path: string, cookie?: string): Promise<Answer> =>
      ask(port, path, { headers: cookie === undefined ? {} : { cookie } })
    await until(() => askApp('/').catch(() => undefined), answer => answer !== undefined)

    const straight = await askApp('/shoes?size=43')
    t.equal(straight.status, 302)
    t.equal(straight.headers.location, `${door.routerUrl}/shoes?size=43`, 'who comes straight is shown to the door')

    const sentTo = async (server: string): Promise<URL> => {
      const isWanted = ({ headers: { location = '' } }: Answer): boolean =>
        ticketOf(new URL(location, 'http://app')) !== undefined &&
        claimsOf(location).aud === server
      const { headers } = await until(() => ask(door.routingPort, '/shoes?size=43'), isWanted)
      return new URL(headers.location!)
    }
    const { pathname, search } = await sentTo('shop-a')
    const id = claimsOf(search).sub!
    const welcome = await askApp(pathname + search)
    t.equal(welcome.status, 200, welcome.body)
    t.match(welcome.body, new RegExp(`Welcome, ${id}`))
    t.match(welcome.body, `src="${door.routerUrl}/usher.js" data-server="shop-a"`)
    const cookie = welcome.headers['set-cookie']!.at(-1)!.split(';')[0]!
    for (const path of [pathname + search, '/elsewhere']) {
      t.match((await askApp(path, cookie)).body, new RegExp(`Welcome, ${id}`), 'a reload, and the next page')
    }

    const refused = async (what: string, ticket: string): Promise<void> => {
      const { status, body } = await askApp(`/?usher_ticket=${ticket}`)
      t.equal(status, 403, what)
      t.match(body, /^No entry: ./, what)
    }
    await refused('used', ticketOf(new URL(search, 'http://app'))!)
    await refused('for another server', ticketOf(await sentTo('shop-b'))!)
    const fresh = ticketOf(await sentTo('shop-a'))!
    const [head, , signature] = fresh.split('.')
    const claims = Buffer.from(JSON.stringify({ ...decodeJwt(fresh), sub: id })).toString('base64url')
    await refused('forged', `${head}.${claims}.${signature}`)
    const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    await refused('unsigned', `${unsigned}.${claims}.`)
    for (const text of ['x', 'a.b.c', '..', `${head}.${claims}`]) await refused(text, text)
    t.equal((await askApp(`/?usher_ticket=${fresh}`)).status, 200, 'and the good one is good still')
  })
}

function ticketOf (url: URL): string | undefined {
  return url.searchParams.get('usher_ticket') ?? undefined
}

function claimsOf (location: string): { readonly sub?: string, readonly aud?: unknown } {
  return decodeJwt(ticketOf(new URL(location, 'http://app'))!)
}
