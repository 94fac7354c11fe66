/** What an operator does to a server, as buttons: on its card and in its row. */
import { make, setText } from '../kit/dom.ts'
import { isLastAvailable, type Server } from '../kit/console-servers.ts'
import { SERVERS } from '../kit/texts.ts'

export interface ServerActions {
  readonly drain: (server: Server) => void
  readonly maintain: (server: Server) => void
  readonly makeReady: (server: Server) => void
  readonly restart: (server: Server) => void
}

export class ServerButtons {
  /** Hidden until somebody may act. */
  readonly element: HTMLElement
  readonly #drain = makeButton()
  readonly #change = makeButton()
  readonly #maintain = makeButton()
  readonly #restart = makeButton()
  /** The element that says why the last server cannot be drained. */
  readonly #whyId: string
  #server: Server

  constructor (server: Server, actions: ServerActions, whyId: string) {
    this.#server = server
    this.#whyId = whyId
    this.element = make('div', 'acts', this.#drain, this.#change, this.#maintain, this.#restart)
    this.element.hidden = true
    this.#drain.addEventListener('click', () => {
      if (isExplained(this.#drain)) return
      if (this.#server.drain === undefined) actions.drain(this.#server)
      else actions.makeReady(this.#server)
    })
    this.#change.addEventListener('click', () => {
      if (this.#server.state === 'maintenance') actions.maintain(this.#server)
      else actions.drain(this.#server)
    })
    this.#maintain.addEventListener('click', () => {
      if (!isExplained(this.#maintain)) actions.maintain(this.#server)
    })
    this.#restart.addEventListener('click', () => { actions.restart(this.#server) })
    label(this.#maintain, SERVERS.maintain, SERVERS.maintainLabel(server.name))
    label(this.#restart, SERVERS.restart, SERVERS.restartLabel(server.name))
  }

  show (server: Server, servers: readonly Server[]): void {
    this.#server = server
    const { name, drain, state, kind, node } = server
    const isDrained = drain !== undefined
    const isMaintained = state === 'maintenance'
    const whyId = isLastAvailable(server, servers) ? this.#whyId : undefined
    label(this.#drain, isDrained ? SERVERS.ready : SERVERS.drain,
      isDrained ? SERVERS.readyLabel(name) : SERVERS.drainLabel(name))
    label(this.#change, SERVERS.change,
      isMaintained ? SERVERS.changeNoteLabel(name) : SERVERS.changeLabel(name))
    this.#change.hidden = !isDrained
    this.#maintain.hidden = kind === 'own' || isMaintained
    // What runs elsewhere is restarted there.
    this.#restart.hidden = state === 'down' || kind === 'external' || node !== undefined
    explain(this.#drain, whyId)
    explain(this.#maintain, whyId)
  }
}

function makeButton (): HTMLButtonElement {
  const button = make('button', 'btn small')
  button.type = 'button'
  return button
}

function label (button: HTMLElement, text: string, whole: string): void {
  setText(button, text)
  button.setAttribute('aria-label', whole)
}

/** It does nothing, and the page says why. */
function isExplained (button: HTMLElement): boolean {
  return button.getAttribute('aria-disabled') === 'true'
}

/** @param whyId the element that says why the button does nothing; undefined when it does */
function explain (button: HTMLElement, whyId: string | undefined): void {
  if (whyId === undefined) {
    button.removeAttribute('aria-disabled')
    button.removeAttribute('aria-describedby')
  } else {
    button.setAttribute('aria-disabled', 'true')
    button.setAttribute('aria-describedby', whyId)
  }
}
