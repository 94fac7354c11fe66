/**
 * The servers that run elsewhere: the list of them, with who names each, and the form that adds one
 * or changes one that was added here. For administrators.
 */
import type { ServerChange, ServerEntry, ServerList } from '@usher/shared/api/server-entries.ts'
import { lateOf, type Answer } from '../kit/api.ts'
import { find, make, makeCell, makeRow, setText } from '../kit/dom.ts'
import { refusalText, takeOver, type Submitted } from '../kit/json-form.ts'
import { KeyedRows } from '../kit/keyed-rows.ts'
import { ELSEWHERE } from '../kit/texts.ts'
import {
  changeOf, fieldOf, HEALTH_FIELDS, healthText, newServerOf, valuesOf, type Field, type Values
} from './server-form.ts'

export interface ElsewhereViewParts {
  readonly get: (path: string) => Promise<Answer<ServerList>>
  readonly post: (path: string, body: object) => Promise<Answer<unknown>>
  readonly remove: (name: string) => void
  readonly sayDone: (text: string) => void
}

const FIELDS: readonly Field[] = ['name', 'url', 'weight', 'capacity', ...HEALTH_FIELDS]

export class ElsewhereView {
  readonly #parts: ElsewhereViewParts
  readonly #rows: KeyedRows<ServerEntry>
  readonly #form = find<HTMLFormElement>('server-form')
  /** The one that the form changes; undefined when it adds one. */
  #changed: ServerEntry | undefined
  #canAct = false
  #isShown = false
  /** What the news said of such servers. */
  #heard = ''

  constructor (parts: ElsewhereViewParts) {
    this.#parts = parts
    this.#rows = new KeyedRows({
      body: find('elsewhere'),
      keyOf: ({ name, in_force: isInForce }) => `${name} ${isInForce}`,
      shownBy: server => JSON.stringify(server),
      make: server => this.#makeRow(server),
      focusOtherwise: find('title-elsewhere')
    })
    find('server-cancel').addEventListener('click', () => {
      this.#begin(undefined)
      find('title-elsewhere').focus()
    })
    takeOver(this.#form, () => this.#submit())
    this.#begin(undefined)
  }

  allowActions (): void {
    this.#canAct = true
    if (this.#isShown) void this.load()
  }

  setShown (isShown: boolean): void {
    this.#isShown = isShown
    if (isShown) void this.load()
  }

  /** Somebody may have changed them elsewhere. @param news what is known of such servers */
  hear (news: string): void {
    const isOther = news !== this.#heard
    this.#heard = news
    if (isOther && this.#isShown) void this.load()
  }

  async load (): Promise<void> {
    if (!this.#canAct) return
    const answer = await this.#parts.get('/servers')
    if (!answer.isOk) return
    const servers = answer.body.servers.filter(({ kind }) => kind === 'external')
    const changed = this.#changed
    if (changed !== undefined && !servers.some(({ name, source }) =>
      name === changed.name && source === 'console')) this.#begin(undefined)
    find('elsewhere-table').hidden = servers.length === 0
    this.#rows.show(servers)
  }

  /** What is in the form's fields is lost. */
  #begin (server: ServerEntry | undefined): void {
    this.#changed = server
    this.#form.reset()
    const values: Partial<Values> = server === undefined ? {} : valuesOf(server)
    for (const field of FIELDS) input(field).value = values[field] ?? ''
    input('name').readOnly = server !== undefined
    setText(find('server-form-title'), server === undefined
      ? ELSEWHERE.addTitle
      : ELSEWHERE.changeTitle(server.name))
    setText(find('server-submit'), server === undefined ? ELSEWHERE.add : ELSEWHERE.save)
    find('server-cancel').hidden = server === undefined
    find<HTMLDetailsElement>('server-health').open =
      HEALTH_FIELDS.some(field => input(field).value !== '')
  }

  async #submit (): Promise<Submitted> {
    const values = Object.fromEntries(FIELDS.map(field => [field, input(field).value.trim()]))
    const changed = this.#changed
    const answer = changed === undefined
      ? await this.#parts.post('/servers', newServerOf(values as Values))
      : await this.#change(changed.name, changeOf(values as Values))
    if (!answer.isOk) {
      const field = fieldOf(answer.message) ?? (changed === undefined ? 'name' : 'url')
      if (HEALTH_FIELDS.includes(field)) find<HTMLDetailsElement>('server-health').open = true
      return { field: input(field).id, text: refusalText(answer) }
    }
    const late = lateOf(answer)
    this.#parts.sayDone(changed === undefined
      ? ELSEWHERE.added(values['name']!, late)
      : ELSEWHERE.changed(changed.name, late))
    this.#begin(undefined)
    await this.load()
    find('title-elsewhere').focus()
    return 'done'
  }

  #change (name: string, change: ServerChange): Promise<Answer<unknown>> {
    return this.#parts.post(`/servers/${name}/change`, change)
  }

  #makeRow (server: ServerEntry): HTMLElement {
    const { name, source, url, weight, capacity, health, in_force: isInForce } = server
    const tag = isInForce ? ELSEWHERE.source(source) : ELSEWHERE.notInForce
    return makeRow(
      makeCell('c-name wrap', make('b', 'ltr', name), ' ',
        make('span', isInForce ? 'tag' : 'tag off', tag)),
      makeCell('c-url wrap', make('span', 'ltr', url ?? '')),
      labelled(ELSEWHERE.weight, makeCell('c-n', weight === null ? ELSEWHERE.auto : `${weight}`)),
      labelled(ELSEWHERE.capacity, makeCell('c-n', capacity === null ? ELSEWHERE.auto : `${capacity}`)),
      labelled(ELSEWHERE.health, makeCell('c-health wrap', healthText(health))),
      makeCell('act', ...(source === 'console' && isInForce ? [this.#makeButtons(server)] : [])))
  }

  #makeButtons (server: ServerEntry): HTMLElement {
    const { name } = server
    const change = makeButton(ELSEWHERE.change, ELSEWHERE.changeLabel(name))
    change.addEventListener('click', () => {
      this.#begin(server)
      input('url').focus()
    })
    const remove = makeButton(ELSEWHERE.remove, ELSEWHERE.removeLabel(name))
    remove.addEventListener('click', () => { this.#parts.remove(name) })
    return make('div', 'acts', change, remove)
  }
}

function input (field: Field): HTMLInputElement {
  return find<HTMLInputElement>(`server-${field}`)
}

function makeButton (text: string, whole: string): HTMLElement {
  const button = make('button', 'btn small', text)
  button.type = 'button'
  button.setAttribute('aria-label', whole)
  return button
}

/** On a phone, where the head of the table is not seen. */
function labelled (label: string, cell: HTMLElement): HTMLElement {
  cell.dataset['label'] = label
  return cell
}
