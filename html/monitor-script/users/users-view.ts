/**
 * The users: search, server and order, which the address holds, too; the grid; who is selected.
 * While the pointer or the focus is on the list, or rows are selected, it holds still and says how
 * many have arrived since; otherwise it is loaded anew every few seconds.
 */
import type { Stats } from '@usher/shared/api/stats.ts'
import type { User, Users } from '@usher/shared/api/users.ts'
import type { Answer } from '../kit/api.ts'
import { Arrivals } from './arrivals.ts'
import { find, setText } from '../kit/dom.ts'
import { Selection, SELECTED_MAX } from './selection.ts'
import { colourClass, serversOf } from '../kit/console-servers.ts'
import { FLEET, USERS } from '../kit/texts.ts'
import { PAGE_USERS, UserPages } from './user-pages.ts'
import { UsersGrid } from './users-grid.ts'
import type { UserServer } from './user-row.ts'
import { EVERYBODY, isSameQuery, parseUsersHash, usersHash, usersPath, type UsersQuery } from './users-page.ts'
import { UsersTools } from './users-tools.ts'

export interface UsersViewParts {
  readonly get: (path: string) => Promise<Answer<Users>>
  readonly disconnect: (users: readonly User[]) => void
  readonly deny: (users: readonly User[]) => void
}

const REFRESH_EVERY_MS = 3000
/** Without news for longer than this there is no point in asking. */
const STALE_MS = 20_000

export class UsersView {
  readonly #parts: UsersViewParts
  readonly #selection = new Selection()
  readonly #arrivals = new Arrivals()
  #names: readonly string[] = []
  /** This one of a fleet. */
  #node: string | undefined
  #shownFilters = ''
  readonly #pages: UserPages
  readonly #grid: UsersGrid
  readonly #tools: UsersTools
  #query: UsersQuery = EVERYBODY
  #isShown = false
  #hasLoaded = false
  #askedMs = 0
  #heardMs = 0
  /** What the monitor's clock is ahead of this browser's. */
  #skewMs = 0

  constructor (parts: UsersViewParts) {
    this.#parts = parts
    this.#pages = new UserPages({ get: parts.get, onChange: () => { this.#grid.render() } })
    this.#grid = new UsersGrid({
      pages: this.#pages,
      selection: this.#selection,
      onSelect: () => { this.#showSelection() },
      serverOf: user => this.#serverOf(user),
      now: () => Date.now() + this.#skewMs
    })
    this.#tools = new UsersTools({
      onChange: (query, isTyped) => { this.#ask(query, isTyped) },
      isShown: () => this.#isShown,
      clear: () => this.clearSelection()
    })
    this.#listenToSelection()
    find('show-arrivals').addEventListener('click', () => {
      void this.load({ fromTop: true }).then(() => { this.#grid.focus() })
    })
  }

  allowActions (): void {
    find('users-table').classList.remove('viewer')
    find('users-table').setAttribute('aria-multiselectable', 'true')
    this.#grid.allowActions()
  }

  /** The address may ask for something else than before. */
  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (!isShown) return
    const query = parseUsersHash(location.hash)
    if (this.#hasLoaded && isSameQuery(query, this.#query)) {
      this.#grid.render()
      return
    }
    this.#query = query
    this.#tools.show(query)
    void this.load({ fromTop: true })
  }

  /** News from the servers: their names, and what the time is there. */
  hear (stats: Stats, nowMs: number): void {
    this.#heardMs = nowMs
    this.#skewMs = Date.parse(stats.timestamp) - nowMs
    const { fleet } = stats
    this.#node = fleet?.node
    const names = serversOf(stats).map(({ name }) => name)
    const nodes = fleet?.nodes.filter(({ state }) => state !== 'here').map(({ node }) => `${node}/`) ?? []
    if ([...names, ...nodes].join() !== this.#shownFilters) {
      this.#shownFilters = [...names, ...nodes].join()
      this.#names = names
      this.#tools.showServers(names, nodes)
      find('users-table').classList.toggle('fleet', nodes.length > 0)
    }
    const { server } = this.#query
    const known = server.includes('/') ? nodes.map(node => node) : names
    const wanted = server.slice(0, server.indexOf('/') + 1) || server
    if (server !== '' && !known.includes(wanted)) this.#tools.forgetServer()
  }

  /** Every second. */
  tick (nowMs: number): void {
    if (!this.#isShown || document.visibilityState === 'hidden') return
    this.#grid.tick()
    if (nowMs - this.#heardMs > STALE_MS || nowMs - this.#askedMs < REFRESH_EVERY_MS) return
    this.#askedMs = nowMs
    this.#pages.retry()
    if (this.#hasLoaded && this.#grid.isHeld) void this.#look()
    else void this.load()
  }

  /** Loads the list anew; it stays scrolled where it was unless told otherwise. */
  async load ({ fromTop = false } = {}): Promise<void> {
    this.#askedMs = Date.now()
    const query = this.#query
    if (!await this.#pages.begin(query)) return
    this.#hasLoaded = true
    this.#arrivals.forget()
    if (query.sort === 'first_seen') this.#arrivals.hear(this.#firstPage())
    if (fromTop) this.#grid.begin()
    this.#showCounts(this.#pages.matched, this.#pages.nodes)
    this.#showSelection()
  }

  /** False when nobody was selected. */
  clearSelection (): boolean {
    const hadAny = this.#selection.size > 0
    this.#selection.clear()
    this.#showSelection()
    return hadAny
  }

  #ask (query: UsersQuery, isTyped: boolean): void {
    this.#query = query
    // Each keystroke as an entry of the browser's history would bury the earlier ones.
    if (isTyped) history.replaceState(null, '', usersHash(query))
    else history.pushState(null, '', usersHash(query))
    this.#tools.show(query)
    void this.load({ fromTop: true })
  }

  /** Updates the rows' facts without changing the list's order. */
  async #look (): Promise<void> {
    const query = this.#query
    const answer = await this.#parts.get(usersPath({ ...query, sort: 'first_seen' }, 0, PAGE_USERS))
    if (!answer.isOk || query !== this.#query) return
    this.#arrivals.hear(answer.body.users)
    this.#pages.update(answer.body.users)
    this.#showCounts(answer.body.matched, answer.body.nodes)
    const first = this.#grid.firstInView
    if (query.sort !== 'first_seen' || first >= PAGE_USERS) await this.#pages.renew(first)
  }

  /** Its name and colour; colours are of this node's own. */
  #serverOf ({ server, node }: User): UserServer {
    return node === undefined || node === this.#node
      ? { name: server, colour: colourClass(this.#names.indexOf(server)) }
      : { name: `${node}/${server}`, colour: '' }
  }

  #firstPage (): User[] {
    return Array.from({ length: PAGE_USERS }, (_, at) => this.#pages.at(at))
      .filter(user => user !== undefined)
  }

  #showCounts (matched: number, nodes: Users['nodes']): void {
    setText(find('user-count'), USERS.found(matched, nodes))
    const missing = nodes?.missing ?? []
    find('users-missing').hidden = missing.length === 0
    if (missing.length > 0) setText(find('users-missing-text'), FLEET.missing(missing))
    const { count, isMore } = this.#arrivals
    find('users-panel').classList.toggle('has-news', count > 0)
    find('arrivals').hidden = count === 0
    if (count > 0) setText(find('show-arrivals'), USERS.showArrivals(count, isMore))
    const isEmpty = this.#pages.matched === 0 && count === 0
    find('users-panel').hidden = isEmpty
    find('nobody').hidden = !isEmpty
    if (isEmpty) this.#tools.showNobody(this.#query)
    else this.#grid.render()
  }

  #listenToSelection (): void {
    const all = find<HTMLInputElement>('select-all')
    all.addEventListener('change', () => {
      if (all.checked) void this.#selectAll()
      else this.clearSelection()
    })
    find('clear-selection').addEventListener('click', () => { this.clearSelection() })
    find('disconnect').addEventListener('click', () => {
      this.#parts.disconnect(this.#selection.users)
    })
    find('deny').addEventListener('click', () => { this.#parts.deny(this.#selection.users) })
  }

  /** All that are found, in the list's order, as many as may be selected. */
  async #selectAll (): Promise<void> {
    const count = Math.min(SELECTED_MAX, this.#pages.matched)
    const users = await this.#pages.range(0, count)
    this.#selection.add(users ?? [])
    this.#showSelection()
  }

  #showSelection (): void {
    const { size } = this.#selection
    this.#grid.showSelection()
    const all = find<HTMLInputElement>('select-all')
    all.checked = size > 0 && size >= Math.min(SELECTED_MAX, this.#pages.matched)
    all.indeterminate = size > 0 && !all.checked
    const bar = find('selection')
    // The focus would be lost with the button that has it.
    if (size === 0 && bar.contains(document.activeElement)) this.#grid.focus()
    bar.hidden = size === 0
    find('users-panel').classList.toggle('selecting', size > 0)
    setText(find('selected-count'), USERS.selected(size, size === SELECTED_MAX))
  }
}
