/** What is wrong, in words, each with what can be done about it. */
import { find, make, makeIcon, setText } from '../kit/dom.ts'
import type { Trouble } from '../kit/console-servers.ts'
import { NOTICES } from '../kit/texts.ts'

/** Those in red. */
const GRAVE = new Set<Trouble['kind']>(['no-servers', 'none-available', 'down'])
/** Those about which nothing can be done in the console. */
const HAVE_NO_BUTTON = new Set<Trouble['kind']>(['nearly-full', 'certificate', 'fleet-away'])

interface Notice {
  readonly element: HTMLElement
  readonly fact: Element
  readonly meaning: Element
  readonly button: HTMLElement | undefined
}

export class NoticesView {
  readonly #denyNetwork: (network: string) => void
  /** Those that are shown, by what each is about. */
  #shown = new Map<string, Notice>()
  #canAct = false

  constructor (denyNetwork: (network: string) => void) {
    this.#denyNetwork = denyNetwork
  }

  allowActions (): void {
    this.#canAct = true
    for (const { button } of this.#shown.values()) if (button !== undefined) button.hidden = false
  }

  /** A notice that stays is the same element, so that its button can be pressed. */
  show (troubles: readonly Trouble[]): void {
    const shown = new Map<string, Notice>()
    for (const trouble of troubles) {
      const key = keyOf(trouble)
      const notice = this.#shown.get(key) ?? this.#makeNotice(trouble)
      showNotice(notice, trouble)
      shown.set(key, notice)
    }
    const isSame = [...shown.keys()].join() === [...this.#shown.keys()].join()
    this.#shown = shown
    if (isSame) return
    const notices = find('notices')
    notices.replaceChildren(...[...shown.values()].map(({ element }) => element))
    notices.hidden = troubles.length === 0
  }

  #makeNotice (trouble: Trouble): Notice {
    const isDown = GRAVE.has(trouble.kind) ||
      (trouble.kind === 'certificate' && trouble.problem !== 'expires_soon')
    const [fact, meaning] = [make('b', ''), make('p', '')]
    const button = this.#makeButton(trouble)
    const element = make('div', `notice ${isDown ? 'down' : 'drain'}`,
      makeIcon(isDown ? 'icon-alert' : 'icon-warning'),
      make('div', '', make('p', '', fact), meaning),
      ...(button === undefined ? [] : [button]))
    return { element, fact, meaning, button }
  }

  #makeButton (trouble: Trouble): HTMLElement | undefined {
    if (HAVE_NO_BUTTON.has(trouble.kind)) return undefined
    if (trouble.kind !== 'newcomers') return makeServersLink()
    const { network } = trouble
    const button = make('button', 'btn small', NOTICES.denyNetwork(network))
    button.type = 'button'
    button.hidden = !this.#canAct
    button.addEventListener('click', () => { this.#denyNetwork(network) })
    return button
  }
}

function keyOf (trouble: Trouble): string {
  const node = 'node' in trouble ? ` at ${trouble.node}` : ''
  if (trouble.kind === 'down') return `down ${trouble.name}`
  if (trouble.kind === 'certificate') return `certificate ${trouble.problem}${node}`
  if (trouble.kind === 'node-away') return `node-away ${trouble.node}`
  return trouble.kind === 'newcomers' ? `newcomers ${trouble.network}${node}` : trouble.kind + node
}

function showNotice ({ fact, meaning }: Notice, trouble: Trouble): void {
  const [factText, meaningText] = noticeTexts(trouble)
  const isOfNode = trouble.kind !== 'node-away' && 'node' in trouble && trouble.node !== undefined
  setText(fact, isOfNode ? NOTICES.atNode(trouble.node, factText) : factText)
  if (meaning.textContent !== meaningText) meaning.replaceChildren(...withNames(meaningText))
}

/** The name of a setting is shown as code. */
function withNames (text: string): Array<string | HTMLElement> {
  return text.split(/\b([A-Z]+_[A-Z]+)\b/)
    .map((part, at) => at % 2 === 1 ? make('code', '', part) : part)
}

function makeServersLink (): HTMLElement {
  const link = make('a', 'btn small', NOTICES.seeServers)
  link.href = '#servers'
  return link
}

function noticeTexts (trouble: Trouble): [fact: string, meaning: string] {
  switch (trouble.kind) {
    case 'no-servers': return [NOTICES.noServers, NOTICES.noServersMeans]
    case 'none-available': return [NOTICES.noneAvailable, NOTICES.noneAvailableMeans]
    case 'all-full': return [NOTICES.allFull, NOTICES.allFullMeans]
    case 'down': {
      const { name, sinceMs, restarts, reason } = trouble
      if (reason === undefined) return [NOTICES.down(name, sinceMs, restarts), NOTICES.downMeans]
      return [NOTICES.downElsewhere(name, sinceMs, reason), NOTICES.downElsewhereMeans]
    }
    case 'certificate': {
      const { problem, atMs, nowMs } = trouble
      return [NOTICES.certificate(problem, atMs, nowMs), NOTICES.certificateMeans]
    }
    case 'fleet-away':
      return [NOTICES.fleetAway(trouble.sinceMs, trouble.reason), NOTICES.fleetAwayMeans]
    case 'node-away': {
      const { node, sinceMs, others } = trouble
      return [NOTICES.nodeAway(node, sinceMs, others), NOTICES.nodeAwayMeans]
    }
    case 'nearly-full':
      return [NOTICES.nearlyFull(trouble.used, trouble.size), NOTICES.nearlyFullMeans]
    case 'newcomers': {
      const { network, requests, sinceMs, others, isRefused } = trouble
      return [
        NOTICES.newcomers(network),
        NOTICES.newcomersMean(requests, sinceMs, others, isRefused === true)
      ]
    }
  }
}
