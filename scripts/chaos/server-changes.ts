/**
 * External servers that come and go while the program runs: added, moved to another address and
 * removed by the console, or by its settings and a reload. Nobody may be sent to one that was
 * removed, nor to the address that it had before.
 */
import type { ChangingApp } from './apps.ts'
import type { Operators, Stats } from './operators.ts'
import type { World } from './world.ts'

const WEIGHTS = { remove: 2, move: 1 } as const
const IN_FORCE_MS_MAX = 60_000
/** A reload comes to nothing when a server dies meanwhile: then there is another, undisturbed. */
const RELOADED_MS_MAX = 3000

export class ServerChanges {
  readonly #world: World
  readonly #operators: Pick<Operators, 'changeServers'>
  count = 0

  constructor (world: World, operators: Pick<Operators, 'changeServers'>) {
    this.#world = world
    this.#operators = operators
  }

  /** One change. */
  async act (): Promise<void> {
    const { random, apps } = this.#world
    if (apps.changing.length === 0) return
    const app = random.pick(apps.changing)
    const what = app.isWanted ? random.pickByWeight(WEIGHTS) : 'add'
    app.phase = undefined
    app.isWanted = what !== 'remove'
    if (what === 'move') app.move()
    if (!await (app.isOfSettings ? this.#reload(app) : this.#ask(app, what))) return
    this.count++
    app.phase = app.isWanted ? { kind: 'well', host: app.host } : { kind: 'closed' }
  }

  /** Servers that the program has and should not have, or the other way round. */
  differences ({ servers }: Stats): string[] {
    const { apps } = this.#world
    const known = apps.ports.map(port => apps.nameOf(port))
    const found = Object.keys(servers).filter(name => known.includes(name))
    const [is, should] = [found, apps.wantedNames].map(names => [...names].sort().join(' '))
    return is === should ? [] : [`the external servers are ${is}, and should be ${should}`]
  }

  async #ask ({ port, url }: ChangingApp, what: 'add' | 'move' | 'remove'): Promise<boolean> {
    const { program, apps, complain } = this.#world
    const name = apps.nameOf(port)
    const [path, body] = what === 'add'
      ? ['/servers', { name, url }]
      : what === 'move'
        ? [`/servers/${name}/change`, { url }]
        : [`/servers/${name}/remove`, { force: true }]
    if (!await this.#operators.changeServers(path, body)) return false
    if (what === 'remove') return true
    const isUp = await program.until(() => program.isUpElsewhere(port), IN_FORCE_MS_MAX)
    if (!isUp) complain(`${name} was to ${what}, and is not said to be up`)
    return isUp
  }

  async #reload ({ port, isWanted }: ChangingApp): Promise<boolean> {
    const { program, apps, web, complain } = this.#world
    // One that is starting might have read what is written now, or what was there before.
    while (!program.isReady) await program.until(() => program.isReady, IN_FORCE_MS_MAX)
    const before = program.changesOf(port)
    program.writeSettings()
    const reload = async (msMax: number): Promise<boolean> => {
      program.reload()
      return await program.until(() => program.changesOf(port) !== before &&
        (isWanted ? program.isUpElsewhere(port) : program.isGone(port)), msMax)
    }
    const isDone = await reload(RELOADED_MS_MAX) || await web.betweenFaults(async () => {
      await program.until(() => program.areAllUp, IN_FORCE_MS_MAX)
      return await reload(IN_FORCE_MS_MAX)
    })
    if (!isDone) complain(`${apps.nameOf(port)} is not as the settings have it after a reload`)
    return isDone
  }
}
