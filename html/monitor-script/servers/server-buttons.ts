/** What an operator does to a server, as buttons: on its card and in its row. */
import { make, setText } from '../kit/dom.ts'
import { isLastAvailable, type Server } from '../kit/console-servers.ts'
import { SERVERS } from '../kit/texts.ts'

export interface ServerActions {
  readonly drain: (server: Server) => void
  readonly makeReady: (server: Server) => void
  readonly restart: (server: Server) => void
}

export class ServerButtons {
  /** Hidden until somebody may act. */
  readonly element: HTMLElement
  readonly #drain = makeButton()
  readonly #change = makeButton()
  readonly #restart = makeButton()
  /** The element that says why the last server cannot be drained. */
  readonly #whyId: string
  #server: Server

  constructor (server: Server, actions: ServerActions, whyId: string) {
    this.#server = server
    this.#whyId = whyId
    this.element = make('div', 'acts', this.#drain, this.#change, this.#restart)
    this.element.hidden = true
    this.#drain.addEventListener('click', () => {
      if (this.#drain.getAttribute('aria-disabled') === 'true') return
      if (this.#server.drain === undefined) actions.drain(this.#server)
      else actions.makeReady(this.#server)
    })
    this.#change.addEventListener('click', () => { actions.drain(this.#server) })
    this.#restart.addEventListener('click', () => { actions.restart(this.#server) })
    label(this.#change, SERVERS.change, SERVERS.changeLabel(server.name))
    label(this.#restart, SERVERS.restart, SERVERS.restartLabel(server.name))
  }

  show (server: Server, servers: readonly Server[]): void {
    this.#server = server
    const { name, drain, state, kind } = server
    const isDrained = drain !== undefined
    label(this.#drain, isDrained ? SERVERS.ready : SERVERS.drain,
      isDrained ? SERVERS.readyLabel(name) : SERVERS.drainLabel(name))
    this.#change.hidden = !isDrained
    // What runs elsewhere is restarted there.
    this.#restart.hidden = state === 'down' || kind === 'external'
    explain(this.#drain, isLastAvailable(server, servers) ? this.#whyId : undefined)
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
